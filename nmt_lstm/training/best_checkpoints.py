"""Weights on disk: those of the best validations by the metric, and of the latest ones if those are averaged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from torch import Tensor

from nmt_lstm.checkpoint.weights import save_weights
from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.training.checkpointing import write_atomically
from nmt_lstm.training.validation import is_better

__all__ = ["BestCheckpoints", "WeightsCheckpoint"]


@dataclass(frozen=True)
class WeightsCheckpoint:
    """A file of weights, and the metrics of its validation."""

    step: int
    file: str
    metrics: dict[str, float]
    sha256: str = ""
    """Of the file; empty in processes that did not write it, and in checkpoints of earlier versions."""


class BestCheckpoints:
    """The files ``step-N.safetensors`` in a folder of checkpoints.

    A file is deleted only when neither the training checkpoint that was just saved lists it, nor the one before that
    (`delete_unlisted`). So all files that a training checkpoint lists exist, whichever checkpoint a run is resumed from.

    Args:
        folder: where the files are.
        metric: "loss", "bleu" or "chrf".
        best: how many of the best by the metric to keep.
        latest: how many of the latest validations to keep besides.
    """

    def __init__(self, folder: Path, *, metric: str, best: int, latest: int) -> None:
        self.folder = folder
        self.metric = metric
        self.best_count = best
        self.latest_count = latest
        self.checkpoints: list[WeightsCheckpoint] = []
        self._saved_files: set[str] = set()
        """Those that the latest training checkpoint lists."""

    def best(self) -> list[WeightsCheckpoint]:
        """The best checkpoints by the metric, best first; a tie goes to the older."""
        sign = 1.0 if self.metric == "loss" else -1.0
        ranked = sorted(self.checkpoints, key=lambda each: (sign * each.metrics[self.metric], each.step))
        return ranked[: self.best_count]

    def latest(self) -> list[WeightsCheckpoint]:
        """The latest checkpoints, newest first."""
        return sorted(self.checkpoints, key=lambda each: -each.step)[: self.latest_count]

    def qualifies(self, metrics: Mapping[str, float]) -> bool:
        """Whether weights with these metrics would be kept."""
        best = self.best()
        return (
            self.latest_count > 0
            or len(best) < self.best_count
            or is_better(self.metric, metrics[self.metric], best[-1].metrics[self.metric])
        )

    def save(
        self, step: int, metrics: Mapping[str, float], state: Mapping[str, Tensor], *, on_disk: bool = True
    ) -> None:
        """List weights, in place of those of the same step if any. Only one process should write the file `on_disk`."""
        file, digest = f"step-{step}.safetensors", ""
        if on_disk:
            write_atomically(self.folder / file, lambda path: save_weights(path, state))
            digest = sha256_of(self.folder / file)
        self.checkpoints = [each for each in self.checkpoints if each.step != step]
        self.checkpoints.append(WeightsCheckpoint(step, file, dict(metrics), digest))
        steps = {each.step for each in (*self.best(), *self.latest())}
        self.checkpoints = [each for each in self.checkpoints if each.step in steps]

    def delete_unlisted(self) -> None:
        """Delete the files that are no longer listed, after a training checkpoint was saved."""
        listed = {checkpoint.file for checkpoint in self.checkpoints}
        for file in self.folder.glob("step-*.safetensors"):
            if file.name not in listed | self._saved_files:
                file.unlink(missing_ok=True)
        self._saved_files = listed

    def path(self, checkpoint: WeightsCheckpoint) -> Path:
        """Return the path of a checkpoint's file."""
        return self.folder / checkpoint.file

    def damage(self, checkpoint: WeightsCheckpoint) -> str:
        """Return what is wrong with a checkpoint's file, compared with its checksum: it is missing, unreadable or changed."""
        try:
            changed = checkpoint.sha256 and sha256_of(self.path(checkpoint)) != checkpoint.sha256
        except OSError as problem:
            return f"cannot be read: {problem.strerror}"
        return "was changed: its SHA-256 is not the recorded one" if changed else ""

    def restore(self, checkpoint: WeightsCheckpoint, copy: Path) -> bool:
        """Replace a damaged file by a copy of another one if that has its checksum; whether it has."""
        with suppress(OSError):
            if checkpoint.sha256 and sha256_of(copy) == checkpoint.sha256:
                write_atomically(self.path(checkpoint), lambda path: copyfile(copy, path))
                return True
        return False

    def drop(self, files: Collection[str]) -> None:
        """List files no longer; they are not deleted."""
        self.checkpoints = [each for each in self.checkpoints if each.file not in files]

    def state_dict(self) -> list[dict[str, Any]]:
        """Return the state for a training checkpoint."""
        return [asdict(checkpoint) for checkpoint in self.checkpoints]

    def load_state_dict(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Restore the state from a training checkpoint."""
        self.checkpoints = [
            WeightsCheckpoint(
                int(each["step"]), str(each["file"]), dict(each["metrics"]), str(each.get("sha256", ""))
            )
            for each in state
        ]
        self._saved_files = {checkpoint.file for checkpoint in self.checkpoints}
