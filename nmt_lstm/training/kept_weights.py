"""Files of weights: of the best validations by the metric, and of the last ones if those are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.training.checkpoint_files import save_weights_whole

__all__ = ["KeptWeights", "Record", "is_better"]

_REMEDY = "restore it from a copy, or train again into another folder; the model in the run's folder is not affected"


def is_better(metric: str, value: float, than: float) -> bool:
    """Whether `value` of "loss", "bleu" or "chrf" is strictly better than another."""
    return value < than if metric == "loss" else value > than


@dataclass(frozen=True)
class Record:
    """A file of weights, and the metrics of its validation."""

    step: int
    file: str
    metrics: dict[str, float]
    sha256: str = ""
    """Of the file; empty in processes that did not write it, and in checkpoints of earlier versions."""


class KeptWeights:
    """The files ``step-N.safetensors`` in a folder of checkpoints.

    A file is deleted only after a checkpoint that no longer names it was saved (`forget`), so that whichever
    checkpoint a training is resumed from, all files that it names are there.

    Args:
        folder: of the files.
        metric: "loss", "bleu" or "chrf".
        best: how many of the best by the metric are kept.
        last: how many of the last validations besides.
    """

    def __init__(self, folder: Path, *, metric: str, best: int, last: int) -> None:
        self.folder = folder
        self.metric = metric
        self.best_count = best
        self.last_count = last
        self.records: list[Record] = []

    def best(self) -> list[Record]:
        """The best records by the metric, best first; of equals the older."""
        sign = 1.0 if self.metric == "loss" else -1.0
        ranked = sorted(self.records, key=lambda record: (sign * record.metrics[self.metric], record.step))
        return ranked[: self.best_count]

    def last(self) -> list[Record]:
        """The last records, newest first."""
        return sorted(self.records, key=lambda record: -record.step)[: self.last_count]

    def would_keep(self, metrics: Mapping[str, float]) -> bool:
        """Whether weights with these metrics are worth a file."""
        best = self.best()
        full = len(best) >= self.best_count
        return (
            self.last_count > 0
            or not full
            or is_better(self.metric, metrics[self.metric], best[-1].metrics[self.metric])
        )

    def add(
        self, step: int, metrics: Mapping[str, float], state: Mapping[str, Tensor], *, write: bool = True
    ) -> Record:
        """Keep weights; a record of the same step is replaced. Only one process should `write` the file."""
        file, digest = f"step-{step}.safetensors", ""
        if write:
            save_weights_whole(self.folder / file, state)
            digest = sha256_of(self.folder / file)
        record = Record(step, file, dict(metrics), digest)
        self.records = [other for other in self.records if other.step != step] + [record]
        steps = {other.step for other in (*self.best(), *self.last())}
        self.records = [other for other in self.records if other.step in steps]
        return record

    def forget(self) -> None:
        """Delete the files that no record names."""
        named = {record.file for record in self.records}
        for file in self.folder.glob("step-*.safetensors"):
            if file.name not in named:
                file.unlink(missing_ok=True)

    def path(self, record: Record) -> Path:
        """Where the weights of a record are."""
        return self.folder / record.file

    def check(self, record: Record) -> None:
        """Compare the file of a record with its checksum.

        Raises:
            ModelFolderError: it is missing, or not the one that was written.
        """
        path = self.path(record)
        try:
            changed = record.sha256 and sha256_of(path) != record.sha256
        except OSError as problem:
            raise ModelFolderError(f"'{path}' cannot be read: {problem.strerror}; {_REMEDY}.") from problem
        if changed:
            raise ModelFolderError(f"'{path}' was changed: its SHA-256 is not the recorded one; {_REMEDY}.")

    def state_dict(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps."""
        return [asdict(record) for record in self.records]

    def load_state_dict(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Restore the records in a checkpoint."""
        self.records = [
            Record(int(each["step"]), str(each["file"]), dict(each["metrics"]), str(each.get("sha256", "")))
            for each in state
        ]
