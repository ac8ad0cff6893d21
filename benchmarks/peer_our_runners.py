"""The runners of nmt-lstm: on plain text, and with an exported model."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

from endless import without_end
from peer_ours import Ours, pieces_of_steps
from peer_process import Command, ToolkitError, run
from peer_runner import PROCESS_LIMIT, Deadline, Learnt, Record, Runner
from peer_text import Pieces, in_process, score_lines
from peer_toolkit import Training, Translation

# Its key, for folders and --only.
OURS = "nmt-lstm"


class OurRunner(Runner):
    """Measures nmt-lstm on plain text.

    Args:
        ours: its commands.
        pieces, folder, deadline: see `Runner`.
        translates: whether its translations are measured.
        learns: whether it is also trained for the times in --wall.
    """

    feeds_by_default = False

    def __init__(
        self,
        ours: Ours,
        pieces: Pieces,
        folder: Path,
        deadline: Deadline,
        *,
        translates: bool = True,
        learns: bool = True,
    ) -> None:
        super().__init__(ours.name, OURS, pieces, folder, deadline)
        self.ours = ours
        self.translates = translates
        self.learns = learns
        # Validation at the end should not affect the measurement.
        short = {f"valid_{side}": pieces.folder / f"short.{side}" for side in ("source", "target")}
        self.briefly_validated = replace(ours, text=replace(ours.text, **short))

    def prepare(self, *, may_install: bool) -> str:
        """Return versions; it is installed already."""
        return ", ".join(
            f"{name} {importlib.metadata.version(name)}" for name in ("nmt-lstm", "torch", "numpy")
        )

    def _help_command(self) -> Command:
        return self.ours.help_command()

    def _train_command(self, training: Training) -> Command:
        extra = {"training.max_steps": str(training.steps), "training.metric": "loss"}
        return self.briefly_validated.train_command(replace(training, text=self.pieces.whole), extra)

    def _translate_command(self, translation: Translation) -> Command:
        return self.ours.translate_command(translation)

    def _timed_pieces(self, training: Training) -> int:
        settings = self.briefly_validated.settings(self.pieces.whole, input_feeding=training.input_feeding)
        return sum(in_process(pieces_of_steps, settings, training.steps)[self.steps :])

    def untrained(self, feeding: bool) -> Path:
        """Return a model after one step that cannot end sentences, with a low length limit."""
        model = self._run_folder("untrained", feeding) / "model"
        if not model.exists():
            training = replace(self._training("untrained", feeding, 1), text=self.pieces.whole)
            extra = {
                "training.max_steps": "1",
                "training.metric": "loss",
                "search.max_length_ratio": "0.0001",
            }
            self._run(self.briefly_validated.train_command(training, extra), f"untrained-{feeding}")
            in_process(without_end, model)
        return model

    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt:
        """Train once for each time, since the schedule depends on it."""
        training = replace(self._training(f"learn-{seconds:.0f}", feeding, 0), text=self.pieces.whole)
        extra = {"training.time_limit": f"{seconds:.0f}s", "training.epochs": "1000"}
        log = training.folder / "train.log"
        limit = seconds + PROCESS_LIMIT
        usage = run(
            self.ours.train_command(training, extra), folder=training.folder, log=log, time_limit=limit
        )
        steps = len(Record.read(training.record).wall)
        counted = f"{steps:,} steps in {usage.seconds:,.0f} s of wall time from start to end"
        return Learnt(self.learnt(feeding, seconds), counted, usage.peak_bytes)

    def learnt(self, feeding: bool, seconds: float) -> Path:
        """Return the path of the model after a time of training."""
        return self._run_folder(f"learn-{seconds:.0f}", feeding) / "model"

    def _test(self) -> Path:
        return self.ours.text.test_source

    def _score(self, output: Path, reference: Path) -> tuple[float, str]:
        return in_process(score_lines, output, reference)


class ExportedRunner(OurRunner):
    """Measures translation with the exported model of another runner.

    Args:
        trained: the other runner, which is measured first.
        suffix: suffix of the name.
        options: options of the export command.
    """

    trains = False

    def __init__(self, trained: OurRunner, suffix: str, *options: str) -> None:
        renamed = replace(trained.ours, name=f"{trained.name}, {suffix}")
        super().__init__(renamed, trained.pieces, trained.folder.parent, trained.deadline)
        self.trained = trained
        self.options = options

    def untrained(self, feeding: bool) -> Path:
        """Return the exported model after one step."""
        return self._exported(self.trained.untrained(feeding), self._run_folder("untrained", feeding))

    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt:
        model = self.trained.learnt(feeding, seconds)
        if not model.exists():
            raise ToolkitError(f"{self.trained.name} has no model after {seconds:,.0f} s")
        exported = self._exported(model, self._run_folder(f"learn-{seconds:.0f}", feeding))
        return Learnt(exported, f"trained as {self.trained.name}")

    def _exported(self, model: Path, folder: Path) -> Path:
        output = folder / "exported"
        if not output.exists():
            folder.mkdir(parents=True, exist_ok=True)
            command = self.ours.export_command(model, output, *self.options)
            run(command, folder=folder, log=folder / "export.log", time_limit=PROCESS_LIMIT)
        return output
