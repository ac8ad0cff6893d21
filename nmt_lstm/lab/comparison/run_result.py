"""The result of one run of a comparison, as stored on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from nmt_lstm.errors import DataError
from nmt_lstm.files.checksums import parse_checked
from nmt_lstm.files.regular import read_regular

__all__ = ["CurvePoint", "RunResult", "TrainingResult", "read_result"]


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Result = TypeVar("Result", bound=_Result)


class CurvePoint(_Result):
    """One validation during training."""

    step: int
    seconds: float
    """Since training began, including earlier validations."""
    loss: float
    """Nats per target piece."""
    bleu: float
    chrf: float


class TrainingResult(_Result):
    """The result of a training run."""

    steps: int
    epochs: int
    seconds: float
    """Wall-clock time of all sessions."""
    reason: str
    """Why training stopped."""
    parameters: int
    fingerprint: str
    """Fingerprint of the prepared text."""
    validation: dict[str, float]
    """ "loss", "perplexity", "bleu" and "chrf" of the model."""
    pieces_per_second: float
    """Target pieces without padding, over the time of the training steps alone."""
    peak_bytes: int
    """Peak resident memory of the process."""
    device_bytes: int | None
    """Peak GPU memory; None without a GPU."""
    device: str
    threads: int
    curve: list[CurvePoint]


class RunResult(_Result):
    """The result of a run: training, then translation of the test text."""

    training: TrainingResult
    translate_seconds: float
    sentences: int
    beam_size: int
    translations_sha256: str = ""
    """SHA-256 of the file with the translations; empty in results from earlier versions."""

    @property
    def sentences_per_second(self) -> float:
        """Translation speed."""
        return self.sentences / self.translate_seconds if self.translate_seconds else 0.0


def read_result(kind: type[Result], path: Path) -> Result | None:
    """Read a result; None if the file does not exist.

    Raises:
        DataError: the file is damaged or was changed.
    """
    try:
        return kind.model_validate(parse_checked(read_regular(path)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise DataError(
            f"'{path}' is damaged ({reason}); remove it, and the same command recreates it.", path=path
        ) from problem
