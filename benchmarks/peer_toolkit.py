"""What the comparison asks of a toolkit: how it is installed, trained, and set to translate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from peer_environments import Requirements
from peer_process import Command

RECORDER = Path(__file__).with_name("peer_recorded.py")

# The network, the same in all: see docs/peers.md for what is not.
EMBEDDING = 256
DIRECTION = 256
DECODER = 512
DROPOUT = 0.2
LABEL_SMOOTHING = 0.1
LEARNING_RATE = 0.001
CLIP_NORM = 1.0
BATCH_SENTENCES = 80
TRANSLATED_AT_ONCE = 64
# Pieces of each translation where the network is untrained: the shortest limit that our search has.
FIXED_LENGTH = 11


@dataclass(frozen=True)
class SplitText:
    """Text split into pieces: one sentence a line, spaces between pieces.

    Args:
        folder: of everything.
        pairs: lines of the training text.
        target_pieces: of the training text, END of each line included.
    """

    folder: Path
    pairs: int
    target_pieces: int

    @property
    def vocabulary(self) -> Path:
        """One piece a line, without special ones."""
        return self.folder / "vocabulary.txt"

    def side(self, name: str) -> Path:
        """File of a side: train.source, valid.target and so on."""
        return self.folder / name


@dataclass(frozen=True)
class Training:
    """A training.

    Args:
        folder: for configuration, models and logs; it exists.
        text: what it trains on.
        input_feeding: whether the attentional vector is fed back.
        steps: at most.
        save_every: steps between checkpoints.
    """

    folder: Path
    text: SplitText
    input_feeding: bool
    steps: int
    save_every: int

    @property
    def record(self) -> Path:
        """File of the times of its steps."""
        return self.folder / "steps.txt"


@dataclass(frozen=True)
class Translation:
    """A translation.

    Args:
        folder: of the training whose model translates.
        model: its checkpoint.
        source: pieces, or text for a toolkit that splits itself.
        output: where translations go.
        beam_size: 1 is greedy.
        length: pieces of each translation exactly, or None to let the model end.
    """

    folder: Path
    model: Path
    source: Path
    output: Path
    beam_size: int
    length: int | None


class Toolkit(Protocol):
    """One toolkit: turns trainings and translations into commands, and writes the files that these read."""

    name: str
    requirements: Requirements

    def help_command(self, python: Path) -> Command:
        """Its ``--help``, as a user asks for it."""
        ...

    def train_command(self, python: Path, training: Training) -> Command:
        """A training with the recorder around it."""
        ...

    def checkpoints(self, folder: Path) -> list[Path]:
        """The checkpoints in a training's folder, oldest first."""
        ...

    def translate_command(self, python: Path, translation: Translation) -> Command:
        """A translation."""
        ...


def recorded(python: Path, record: Path, module: str, *words: str | Path) -> tuple[str | Path, ...]:
    """The words that run a module with its steps recorded."""
    return (python, "-P", RECORDER, record, module, *words)


def by_age(folder: Path, pattern: str) -> list[Path]:
    """Files of a pattern that are no links, oldest first."""
    found = [path for path in folder.glob(pattern) if path.exists() and not path.is_symlink()]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)
