"""The runner of the other toolkits: each in its own environment, on text in pieces."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import peer_environments
from peer_process import Command, ToolkitError, run
from peer_runner import PASSES, Deadline, Learnt, Record, Runner
from peer_text import Pieces, in_process, score_pieces
from peer_toolkit import Toolkit, Training, Translation

# Checkpoints within the shortest time in --wall, so that the scored one is recent.
CHECKPOINTS = 12
# A checkpoint may be incomplete if its process ended while writing it.
WRITING_SECONDS = 3.0


class PeerRunner(Runner):
    """Measures a toolkit in its own environment, on text in pieces.

    Args:
        toolkit: its commands.
        cache: folder of environments.
        pieces, folder, deadline: see `Runner`.
    """

    feeds_by_default = True

    def __init__(
        self, toolkit: Toolkit, cache: Path, pieces: Pieces, folder: Path, deadline: Deadline
    ) -> None:
        super().__init__(toolkit.name, toolkit.requirements.name, pieces, folder, deadline)
        self.toolkit = toolkit
        self.cache = cache.resolve()
        self.python = peer_environments.python_of(self.cache, toolkit.requirements)

    def prepare(self, *, may_install: bool) -> str:
        """Build the environment if it is missing."""
        requirements = self.toolkit.requirements
        if not may_install and not peer_environments.is_built(self.cache, requirements):
            raise ToolkitError(
                f"no environment in {self.cache}, and --quick installs none: run without --quick"
            )
        try:
            peer_environments.build(self.cache, requirements, self.deadline.remaining())
            versions = peer_environments.versions(self.python)
        except peer_environments.EnvironmentBuildError as failure:
            raise ToolkitError(f"cannot be used: {failure}") from None
        return ", ".join(f"{name} {versions[name]}" for name in requirements.reported)

    def _help_command(self) -> Command:
        return self.toolkit.help_command(self.python)

    def _train_command(self, training: Training) -> Command:
        return self.toolkit.train_command(self.python, training)

    def _translate_command(self, translation: Translation) -> Command:
        return self.toolkit.translate_command(self.python, translation)

    def _timed_pieces(self, training: Training) -> int:
        return (PASSES - 1) * training.text.target_pieces

    def untrained(self, feeding: bool) -> Path:
        """Return the checkpoint of its short training run."""
        checkpoints = self.toolkit.checkpoints(self._run_folder("train", feeding))
        if not checkpoints:
            raise ToolkitError("no model: its training failed")
        return checkpoints[-1]

    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt:
        """Train once, for the longest time, and return the last checkpoint before a time."""
        folder = self._run_folder("learn", feeding)
        ran = folder / "ran.txt"
        if not ran.exists():
            self._train_for(feeding, max(all_seconds), min(all_seconds))
        begin, peak_bytes = map(float, ran.read_text("utf-8").split())
        saved = [
            path
            for path in self.toolkit.checkpoints(folder)
            if _saved(path) <= begin + seconds - WRITING_SECONDS
        ]
        if not saved:
            raise ToolkitError(f"no checkpoint within {seconds:,.0f} s")
        # The clock of the recorder and that of the file system differ by a constant.
        between = time.time() - time.monotonic()
        steps = sum(at + between <= _saved(saved[-1]) for at in Record.read(folder / "steps.txt").wall)
        counted = f"{steps:,} steps in {_saved(saved[-1]) - begin:,.0f} s of wall time from its start"
        return Learnt(saved[-1], counted, int(peak_bytes))

    def _train_for(self, feeding: bool, longest: float, shortest: float) -> None:
        try:
            wall = Record.read(self._run_folder("train", feeding) / "steps.txt").wall
        except ToolkitError as problem:
            raise ToolkitError(
                "its speed was not measured, which determines the checkpoints; increase --minutes"
            ) from problem
        step_seconds = (wall[-1] - wall[0]) / max(1, len(wall) - 1)
        every = max(1, round(shortest / CHECKPOINTS / step_seconds))
        training = replace(
            self._training("learn", feeding, 10_000_000), text=self.pieces.whole, save_every=every
        )
        begin = time.time()
        command, log = self._train_command(training), training.folder / "train.log"
        usage = run(command, folder=training.folder, log=log, time_limit=longest, may_be_ended=True)
        (training.folder / "ran.txt").write_text(f"{begin} {usage.peak_bytes}", "utf-8")

    def _test(self) -> Path:
        return self.pieces.test

    def _score(self, output: Path, reference: Path) -> tuple[float, str]:
        return in_process(score_pieces, self.pieces.folder, output, reference)


def _saved(path: Path) -> float:
    return path.stat().st_mtime
