"""Measurements of one toolkit: start, training, translation, and learning for a given time."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

from peer_process import Command, Spent, ToolkitError, run
from peer_text import Pieces
from peer_toolkit import BATCH_SENTENCES, FIXED_LENGTH, TRANSLATED_AT_ONCE, Training, Translation
from report import Row

MEBIBYTE = 2.0**20
# The first pass over the sample warms up, the second is timed.
PASSES = 2
LONGEST_PROCESS = 900.0


class Deadline:
    """The end of the time for everything.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that a process may take.

        Raises:
            ToolkitError: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise ToolkitError(f"not begun: the {self._seconds / 60:g} minutes of --minutes are spent")
        return min(left, LONGEST_PROCESS)


@dataclass(frozen=True)
class Record:
    """The times after the steps of a training, on the wall's clock and the processor's."""

    parameters: int
    wall: tuple[float, ...]
    processor: tuple[float, ...]

    @classmethod
    def read(cls, path: Path) -> Record:
        """Return what `path` holds; a line that was being written is left out.

        Raises:
            ToolkitError: it holds no step.
        """
        lines = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
        if len(lines) < 2:
            raise ToolkitError("no step was taken")
        wall, processor = zip(*(map(float, line.split()) for line in lines[1:]), strict=True)
        return cls(int(lines[0]), wall, processor)


@dataclass(frozen=True)
class Learnt:
    """What a training for a given time left."""

    model: Path
    counted: str
    """Its steps and its time, in words."""
    peak_bytes: int | None = None


class Runner(ABC):
    """Measures one toolkit.

    Args:
        name: for the tables.
        key: for folders and --only.
        pieces: the text.
        folder: for models and logs.
        deadline: of everything but what learns for a given time.
    """

    # Whether its users get input feeding unless they ask for something else.
    feeds_by_default: bool
    trains = True
    translates = True
    # Whether it is also trained for the times of --wall.
    learns = True

    def __init__(self, name: str, key: str, pieces: Pieces, folder: Path, deadline: Deadline) -> None:
        self.name = name
        self.key = key
        self.pieces = pieces
        self.folder = folder / name.replace(" ", "-").replace(",", "")
        self.deadline = deadline
        self.steps = self.pieces.sample.pairs // BATCH_SENTENCES

    @abstractmethod
    def make_ready(self, *, may_install: bool) -> str:
        """Install it where that is allowed and needed, and return versions; raises ToolkitError."""

    def help(self) -> list[Row]:
        """Time to answer --help."""
        spent = self._run(self._help_command(), "help")
        return [Row("time", spent.seconds, "s", "wall time of the whole process")]

    def train(self, feeding: bool) -> list[Row]:
        """Speed and peak memory of training."""
        training = self._training("train", feeding, PASSES * self.steps)
        spent = self._run(self._train_command(training), f"train-{feeding}")
        record = self._record(training)
        if len(record.wall) != training.steps:
            raise ToolkitError(f"took {len(record.wall)} steps instead of {training.steps}")
        wall = record.wall[-1] - record.wall[self.steps - 1]
        processor = record.processor[-1] - record.processor[self.steps - 1]
        pieces = self._timed_pieces(training)
        counted = f"{self.steps} steps of {pieces:,} target pieces in all, END included, padding not"
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
                "training, memory", spent.peak_bytes / MEBIBYTE, "MiB", "peak resident memory of the process"
            ),
            Row("parameters", record.parameters / 1e6, "million", "that the optimizer holds"),
        ]

    def translate(self, feeding: bool, beam: int, lines: int) -> list[Row]:
        """Speed of translating with a fixed length, so that the training does not matter."""
        model = self.untrained(feeding)
        counted = f"{FIXED_LENGTH} pieces each, {TRANSLATED_AT_ONCE} sentences at once"
        return self._translate(
            model, "train", feeding, beam, lines, FIXED_LENGTH, counted, self.deadline.left()
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
        folder = self._place(kind, feeding)
        folder.mkdir(parents=True, exist_ok=True)
        with self._test().open(encoding="utf-8", newline="\n") as stream:
            sentences = stream.readlines()[:lines]
        few = min(TRANSLATED_AT_ONCE, len(sentences) // 4)
        spent: list[Spent] = []
        for count in (few, len(sentences)):
            source, output = folder / f"source-{count}.txt", folder / f"output-{count}-{beam}.txt"
            source.write_text("".join(sentences[:count]), "utf-8")
            command = self._translate_command(Translation(folder, model, source, output, beam, length))
            spent.append(run(command, folder=folder, log=folder / f"translate-{beam}.log", time_limit=limit))
        wall = spent[1].seconds - spent[0].seconds
        processor = spent[1].processor_seconds - spent[0].processor_seconds
        if wall <= 0 or processor <= 0:
            raise ToolkitError("too few lines to tell its speed from its start")
        counted = f"{len(sentences) - few} sentences, {counted}, start left out"
        return [
            Row("translation", (len(sentences) - few) / wall, "sentences/s", counted),
            Row("translation, by processor time", (len(sentences) - few) / processor, "sentences/s", counted),
            Row(
                "translation, memory",
                spent[1].peak_bytes / MEBIBYTE,
                "MiB",
                "peak resident memory of the process",
            ),
        ]

    def learn(self, feeding: bool, seconds: float, all_seconds: list[float], reference: Path) -> list[Row]:
        """BLEU after a time of training, and the speed of translating when sentences end where they should."""
        learnt = self._learnt(feeding, seconds, all_seconds)
        kind, rows = "learn", []
        if learnt.peak_bytes is not None:
            memory = "peak resident memory of the process, validations and checkpoints included"
            rows.append(Row("training, memory", learnt.peak_bytes / MEBIBYTE, "MiB", memory))
        for beam in (5, 1):
            search = "greedy" if beam == 1 else f"beam {beam}"
            own = f"{TRANSLATED_AT_ONCE} sentences at once, own lengths"
            found = self._translate(learnt.model, kind, feeding, beam, 1_000_000, None, own, LONGEST_PROCESS)
            lines = sum(1 for _ in self._test().open(encoding="utf-8"))
            score, signature = self._score(
                self._place(kind, feeding) / f"output-{lines}-{beam}.txt", reference
            )
            rows.append(Row(f"BLEU, {search}", score, "BLEU", f"{learnt.counted}; {signature}"))
            rows += [replace(row, what=f"{row.what}, {search}") for row in found]
        return rows

    def _place(self, kind: str, feeding: bool) -> Path:
        return self.folder / f"{kind}-{'feeding' if feeding else 'plain'}"

    def _training(self, kind: str, feeding: bool, steps: int) -> Training:
        folder = self._place(kind, feeding)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Training(folder, self.pieces.sample, feeding, steps, steps)

    def _run(self, command: Command, name: str) -> Spent:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{name}.log"
        return run(command, folder=self.folder, log=log, time_limit=self.deadline.left())

    @abstractmethod
    def _help_command(self) -> Command: ...

    @abstractmethod
    def _train_command(self, training: Training) -> Command: ...

    @abstractmethod
    def _translate_command(self, translation: Translation) -> Command: ...

    def _record(self, training: Training) -> Record:
        """What the recorder wrote of a finished training."""
        return Record.read(training.record)

    @abstractmethod
    def _timed_pieces(self, training: Training) -> int: ...

    @abstractmethod
    def untrained(self, feeding: bool) -> Path:
        """Return a model whose translations are of `FIXED_LENGTH`, however bad."""

    @abstractmethod
    def _learnt(self, feeding: bool, seconds: float, all_seconds: list[float]) -> Learnt: ...

    @abstractmethod
    def _test(self) -> Path: ...

    @abstractmethod
    def _score(self, output: Path, reference: Path) -> tuple[float, str]: ...
