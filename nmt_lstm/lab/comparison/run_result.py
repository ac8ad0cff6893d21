"""What one run came to, as it is kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from nmt_lstm.errors import DataError
from nmt_lstm.files.checksums import parse_checked
from nmt_lstm.files.regular import read_regular

__all__ = ["CurvePoint", "RunResult", "TrainingResult", "read_record"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Record = TypeVar("Record", bound=_Record)


class CurvePoint(_Record):
    """One validation during the training."""

    step: int
    seconds: float
    """Since the training began, its validations included."""
    loss: float
    """Nats per target piece."""
    bleu: float
    chrf: float


class TrainingResult(_Record):
    """What is known when a training is over."""

    steps: int
    epochs: int
    seconds: float
    """Wall clock of all sessions."""
    reason: str
    """Why it stopped."""
    parameters: int
    fingerprint: str
    """Of the prepared text."""
    validation: dict[str, float]
    """ "loss", "perplexity", "bleu" and "chrf" of the model."""
    pieces_per_second: float
    """Target pieces, padding not counted, of its steps alone."""
    peak_bytes: int
    """Largest resident memory of the process so far."""
    device_bytes: int | None
    """Largest memory of the GPU; None without one."""
    device: str
    """Where it was trained."""
    threads: int
    curve: list[CurvePoint]


class RunResult(_Record):
    """A whole run: its training, and its translation of the test text."""

    training: TrainingResult
    translate_seconds: float
    sentences: int
    beam_size: int
    translations_sha256: str = ""
    """Of the file of translations; empty in records of earlier versions."""

    @property
    def sentences_per_second(self) -> float:
        """Speed of the translation."""
        return self.sentences / self.translate_seconds if self.translate_seconds else 0.0


def read_record(kind: type[Record], path: Path) -> Record | None:
    """Read a record; None where there is none yet.

    Raises:
        DataError: it is damaged, or is not what was written.
    """
    try:
        return kind.model_validate(parse_checked(read_regular(path)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise DataError(
            f"'{path}' is damaged ({reason}); remove it, and the same command makes it again."
        ) from problem
