"""The interface of a toolkit in the comparison: installation, training and translation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from peer_environments import Requirements
from peer_process import Command

RECORDER = Path(__file__).with_name("peer_recorded.py")

# The shared network; docs/peers.md lists the differences.
EMBEDDING = 256
DIRECTION = 256
DECODER = 512
DROPOUT = 0.2
LABEL_SMOOTHING = 0.1
LEARNING_RATE = 0.001
CLIP_NORM = 1.0
BATCH_SENTENCES = 80
TRANSLATED_AT_ONCE = 64
# Pieces in each translation by an untrained network: the lowest limit of the search of nmt-lstm.
FIXED_LENGTH = 11


@dataclass(frozen=True)
class SplitText:
    """Text split into pieces: one sentence per line, spaces between pieces.

    Args:
        folder: folder of all files.
        pairs: number of pairs of training text.
        target_pieces: target pieces of the training text, including the end of each line.
    """

    folder: Path
    pairs: int
    target_pieces: int

    @property
    def vocabulary(self) -> Path:
        """File with one piece per line, without special pieces."""
        return self.folder / "vocabulary.txt"

    def side(self, name: str) -> Path:
        """Return the file of a side, such as train.source or valid.target."""
        return self.folder / name


@dataclass(frozen=True)
class Training:
    """A training run.

    Args:
        folder: existing folder for configuration, models and logs.
        text: the training text.
        input_feeding: whether the attentional vector is fed back.
        steps: the most steps.
        save_every: steps between checkpoints.
    """

    folder: Path
    text: SplitText
    input_feeding: bool
    steps: int
    save_every: int

    @property
    def record(self) -> Path:
        """File with the times of its steps."""
        return self.folder / "steps.txt"


@dataclass(frozen=True)
class Translation:
    """A translation.

    Args:
        folder: folder of the training run of the model.
        model: its checkpoint.
        source: file of pieces, or of text for a toolkit that splits it itself.
        output: file for the translations.
        beam_size: 1 is greedy search.
        length: exact number of pieces in each translation; None lets the model end them.
    """

    folder: Path
    model: Path
    source: Path
    output: Path
    beam_size: int
    length: int | None


class Toolkit(Protocol):
    """A toolkit: it turns training runs and translations into commands, and writes the files that they read."""

    name: str
    requirements: Requirements

    def help_command(self, python: Path) -> Command:
        """Return the command for its ``--help``."""
        ...

    def train_command(self, python: Path, training: Training) -> Command:
        """Return the command for a training run, with the recorder around it."""
        ...

    def checkpoints(self, folder: Path) -> list[Path]:
        """Return the checkpoints in the folder of a training run, oldest first."""
        ...

    def translate_command(self, python: Path, translation: Translation) -> Command:
        """Return the command for a translation."""
        ...


def recorded(python: Path, record: Path, module: str, *words: str | Path) -> tuple[str | Path, ...]:
    """Return the command line that runs a module and records its steps."""
    return (python, "-P", RECORDER, record, module, *words)


def by_age(folder: Path, pattern: str) -> list[Path]:
    """Return the files that match a pattern and are not links, oldest first."""
    paths = [path for path in folder.glob(pattern) if path.exists() and not path.is_symlink()]
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns)
