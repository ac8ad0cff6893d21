"""Measurements of a toolkit: startup, training, translation, and BLEU after a given time."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

from peer_process import Command, ToolkitError, Usage, run
from peer_text import Pieces
from peer_toolkit import BATCH_SENTENCES, FIXED_LENGTH, TRANSLATED_AT_ONCE, Training, Translation
from report import Row

MEBIBYTE = 2.0**20
# The first pass over the sample is a warm-up, the second is timed.
PASSES = 2
PROCESS_LIMIT = 900.0


class Deadline:
    """The time limit for everything.

    Args:
        seconds: seconds from now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that a process may take.

        Raises:
            ToolkitError: no time remains.
        """
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            raise ToolkitError(f"not begun: the {self._seconds / 60:g} minutes of --minutes are over")
        return min(remaining, PROCESS_LIMIT)


@dataclass(frozen=True)
class Record:
    """Wall time and processor time after each step of a training run."""

    parameters: int
    wall: tuple[float, ...]
    processor: tuple[float, ...]

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read a file, without its last line if that is incomplete.

        Raises:
            ToolkitError: the file has no steps.
        """
        lines = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
        if len(lines) < 2:
            raise ToolkitError("no step was taken")
        wall, processor = zip(*(map(float, line.split()) for line in lines[1:]), strict=True)
        return cls(int(lines[0]), wall, processor)


@dataclass(frozen=True)
class Learnt:
    """The result of training for a given time."""

    model: Path
    counted: str
    """Its steps and its time, as text."""
    peak_bytes: int | None = None


class Runner(ABC):
    """Measures one toolkit.

    Args:
        name: name in the tables.
        key: name for folders and --only.
        pieces: the text.
        folder: folder for models and logs.
        deadline: the time limit, except for --wall.
    """

    # Whether input feeding is its default.
    feeds_by_default: bool
    trains = True
    translates = True
    # Whether it is also trained for the times in --wall.
    learns = True

    def __init__(self, name: str, key: str, pieces: Pieces, folder: Path, deadline: Deadline) -> None:
        self.name = name
        self.key = key
        self.pieces = pieces
        self.folder = folder / name.replace(" ", "-").replace(",", "")
        self.deadline = deadline
        self.steps = self.pieces.sample.pairs // BATCH_SENTENCES

    @abstractmethod
    def prepare(self, *, may_install: bool) -> str:
        """Install the toolkit if that is allowed and necessary, and return versions; raises ToolkitError."""

    def help(self) -> list[Row]:
        """Return the time of --help."""
        usage = self._run(self._help_command(), "help")
        return [Row("time", usage.seconds, "s", "wall time of the whole process")]

    def train(self, feeding: bool) -> list[Row]:
        """Return speed and peak memory of training."""
        training = self._training("train", feeding, PASSES * self.steps)
        usage = self._run(self._train_command(training), f"train-{feeding}")
        record = self._record(training)
        if len(record.wall) != training.steps:
            raise ToolkitError(f"took {len(record.wall)} steps instead of {training.steps}")
        wall = record.wall[-1] - record.wall[self.steps - 1]
        processor = record.processor[-1] - record.processor[self.steps - 1]
        pieces = self._timed_pieces(training)
        counted = f"{self.steps} steps with {pieces:,} target pieces in total, with ends of sentences, without padding"
        return [
            Row(
                "training",
                pieces / wall,
                "target pieces/s",
                f"{counted}; {100 * processor / wall:.0f} % of the core",
            ),
            Row(
                "training, by processor time",
                pieces / processor,
                "target pieces/s",
                f"{counted}",
            ),
            Row(
                "training, memory", usage.peak_bytes / MEBIBYTE, "MiB", "peak resident memory of the process"
            ),
            Row("parameters", record.parameters / 1e6, "million", "in the optimizer"),
        ]

    def translate(self, feeding: bool, beam: int, lines: int) -> list[Row]:
        """Return the speed of translation with a fixed length, which does not depend on training."""
        model = self.untrained(feeding)
        counted = f"{FIXED_LENGTH} pieces each, {TRANSLATED_AT_ONCE} sentences at a time"
        return self._translate(
            model, "train", feeding, beam, lines, FIXED_LENGTH, counted, self.deadline.remaining()
        )

    def _translate(
        self,
        model: Path,
        kind: str,
        feeding: bool,
        beam: int,
        lines: int,
        length: int | None,
        counted: str,
        limit: float,
    ) -> list[Row]:
        folder = self._run_folder(kind, feeding)
        folder.mkdir(parents=True, exist_ok=True)
        with self._test().open(encoding="utf-8", newline="\n") as stream:
            sentences = stream.readlines()[:lines]
        small = min(TRANSLATED_AT_ONCE, len(sentences) // 4)
        usage: list[Usage] = []
        for count in (small, len(sentences)):
            source, output = folder / f"source-{count}.txt", folder / f"output-{count}-{beam}.txt"
            source.write_text("".join(sentences[:count]), "utf-8")
            command = self._translate_command(Translation(folder, model, source, output, beam, length))
            usage.append(run(command, folder=folder, log=folder / f"translate-{beam}.log", time_limit=limit))
        wall = usage[1].seconds - usage[0].seconds
        processor = usage[1].processor_seconds - usage[0].processor_seconds
        if wall <= 0 or processor <= 0:
            raise ToolkitError("too few lines to separate its speed from its startup")
        counted = f"{len(sentences) - small} sentences, {counted}, without startup"
        return [
            Row("translation", (len(sentences) - small) / wall, "sentences/s", counted),
            Row(
                "translation, by processor time", (len(sentences) - small) / processor, "sentences/s", counted
            ),
            Row(
                "translation, memory",
                usage[1].peak_bytes / MEBIBYTE,
                "MiB",
                "peak resident memory of the process",
            ),
        ]

    def learn(self, feeding: bool, seconds: float, all_seconds: list[float], reference: Path) -> list[Row]:
        """Return BLEU after a time of training, and the speed of translation with the lengths that the model chooses."""
        learnt = self._learnt(feeding, seconds, all_seconds)
        kind, rows = "learn", []
        if learnt.peak_bytes is not None:
            memory = "peak resident memory of the process, including validations and checkpoints"
            rows.append(Row("training, memory", learnt.peak_bytes / MEBIBYTE, "MiB", memory))
        for beam in (5, 1):
            search = "greedy" if beam == 1 else f"beam {beam}"
            own = f"{TRANSLATED_AT_ONCE} sentences at a time, lengths chosen by the model"
            rows_of_search = self._translate(
                learnt.model, kind, feeding, beam, 1_000_000, None, own, PROCESS_LIMIT
            )
            lines = sum(1 for _ in self._test().open(encoding="utf-8"))
            score, signature = self._score(
                self._run_folder(kind, feeding) / f"output-{lines}-{beam}.txt", reference
            )
            rows.append(Row(f"BLEU, {search}", score, "BLEU", f"{learnt.counted}; {signature}"))
            rows += [replace(row, what=f"{row.what}, {search}") for row in rows_of_search]
        return rows

    def _run_folder(self, kind: str, feeding: bool) -> Path:
        return self.folder / f"{kind}-{'feeding' if feeding else 'plain'}"

    def _training(self, kind: str, feeding: bool, steps: int) -> Training:
        folder = self._run_folder(kind, feeding)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Training(folder, self.pieces.sample, feeding, steps, steps)

    def _run(self, command: Command, name: str) -> Usage:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{name}.log"
        return run(command, folder=self.folder, log=log, time_limit=self.deadline.remaining())

    @abstractmethod
    def _help_command(self) -> Command: ...

    @abstractmethod
    def _train_command(self, training: Training) -> Command: ...

    @abstractmethod
    def _translate_command(self, translation: Translation) -> Command: ...

    def _record(self, training: Training) -> Record:
        """Return the times of a finished training run."""
        return Record.read(training.record)

    @abstractmethod
    def _timed_pieces(self, training: Training) -> int: ...

    @abstractmethod
    def untrained(self, feeding: bool) -> Path:
        """Return a model whose translations, however bad, have `FIXED_LENGTH` pieces."""

    @abstractmethod
    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt: ...

    @abstractmethod
    def _test(self) -> Path: ...

    @abstractmethod
    def _score(self, output: Path, reference: Path) -> tuple[float, str]: ...
