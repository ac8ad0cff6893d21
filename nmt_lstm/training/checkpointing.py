"""Checkpoints on disk: written atomically, read without unpickling, and never replaced by one that cannot be resumed."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import CheckpointIO
from torch import Tensor

from nmt_lstm.errors import DivergenceError, ModelFolderError, ResourceError
from nmt_lstm.files.atomic import replacing, temporary_path
from nmt_lstm.files.checksums import archive_is_intact, seal_archive
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.training.divergence import all_finite
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.output_folder import previous_checkpoint_path

__all__ = ["AtomicCheckpointIO", "TrainingCheckpoint", "read_checkpoint", "write_atomically"]


class TrainingCheckpoint:
    """The complete state of a training run on disk, ``last.ckpt``.

    The checkpoint before it is kept as ``before-last.ckpt``, for two cases: a faulty disk may damage the newest file, and
    finite weights may still be too large to compute with, which only a validation, or the next step, shows. In the second
    case `roll_back` restores the previous checkpoint.

    Args:
        path: the file.
        saved_step: the optimizer step of the existing file; -1 if there is none, or it is damaged.
        validated: whether the weights in that file passed a validation.
    """

    def __init__(self, path: Path, *, saved_step: int = -1, validated: bool = False) -> None:
        self.path = path
        self._saved_step = saved_step
        self._validated = validated
        self._previous = previous_checkpoint_path(path)

    @property
    def is_empty(self) -> bool:
        """Whether this run has no checkpoint to continue from."""
        return self._saved_step < 0

    def save(self, trainer: pl.Trainer, module: TranslationModule, *, validated: bool) -> None:
        """Save the state after a step. All processes must take part.

        Args:
            trainer: holds the state.
            module: the module being trained.
            validated: whether a validation of these weights had a finite loss.

        Raises:
            DivergenceError: a weight or an optimizer value is not finite; nothing is written.
            ResourceError: the disk is full or not writable; the previous checkpoint is intact.
        """
        module.check_gradients()
        if not all_finite(_state_tensors(trainer, module)):
            raise DivergenceError(trainer.global_step, module.learning_rate, what="a weight")
        # A damaged file must not take the place of the sound one before it, nor an earlier save of the same step.
        if trainer.is_global_zero and self._saved_step not in (-1, trainer.global_step):
            self._preserve()
        trainer.save_checkpoint(self.path)
        self._saved_step, self._validated = trainer.global_step, validated

    def roll_back(self, step: int, *, even_if_validated: bool = False) -> bool:
        """Restore the previous checkpoint if the saved weights are those that failed after `step`.

        Args:
            step: steps before the failure.
            even_if_validated: do so even if a validation of the weights had a finite loss.

        Returns:
            Whether there is a checkpoint now with other weights than those that failed.
        """
        if self._saved_step != step or (self._validated and not even_if_validated):
            return self.path.exists()
        if not self._previous.exists():
            return False
        self._previous.replace(self.path)
        return True

    def _preserve(self) -> None:
        """Give the file a second name. It keeps its own, so that a kill at any moment leaves something to resume."""
        if not self.path.exists():
            return
        temporary = temporary_path(self._previous)
        try:
            try:
                os.link(self.path, temporary)
            except OSError:  # a file system without hard links
                shutil.copyfile(self.path, temporary)
            temporary.replace(self._previous)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _state_tensors(trainer: pl.Trainer, module: TranslationModule) -> Iterator[Tensor]:
    yield from module.model.state_dict().values()
    for optimizer in trainer.optimizers:
        for state in optimizer.state.values():
            values = (
                state.values() if isinstance(state, Mapping) else ()
            )  # an optimizer may keep other entries, too
            yield from (value for value in values if isinstance(value, Tensor))


class AtomicCheckpointIO(CheckpointIO):
    """Lightning's reading and writing of checkpoints, safe against crashes, full disks and malicious pickles."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any | None = None,
    ) -> None:
        """Write a checkpoint; the previous one stays intact until this one is complete."""

        def write(file: Path) -> None:
            torch.save(checkpoint, file)
            seal_archive(file)

        write_atomically(Path(path), write)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint into main memory."""
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint if it exists."""
        Path(path).unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, which may contain only tensors and plain values.

    Raises:
        ModelFolderError: it is missing, damaged or not a checkpoint; the value says which.
    """
    try:
        intact = archive_is_intact(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True) if intact else None
    except FileNotFoundError:
        raise ModelFolderError(
            f"checkpoint '{path}' does not exist; train without --resume.",
            path=path,
            value="it does not exist",
        ) from None
    except MemoryError:
        raise
    except Exception as problem:  # a damaged archive of an earlier version, without a checksum, can cause any
        # Of a file that is cut off, PyTorch reports internals of its reader.
        complete = isinstance(problem, OSError) or zipfile.is_zipfile(path)
        what = " ".join(str(problem).split())[:200] if complete else "it is incomplete or not a checkpoint"
        reason = f"it cannot be read ({what})"
        raise ModelFolderError(
            f"checkpoint '{path}' {reason[3:]}; train again without --resume, into a different folder.",
            path=path,
            value=reason,
        ) from problem
    if not intact:
        reason = "it was changed: it no longer has the SHA-256 that was written into it"
        raise ModelFolderError(
            f"checkpoint '{path}' {reason[3:]}; restore it from a copy, or train again without --resume, into a "
            f"different folder.",
            path=path,
            value=reason,
        )
    if not isinstance(checkpoint, dict):
        reason = "it is not a training checkpoint"
        raise ModelFolderError(f"'{path}' {reason[3:]}; choose a different folder.", path=path, value=reason)
    return checkpoint


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` create a temporary file beside `path`, then rename it to `path` in one step.

    Raises:
        ResourceError: the disk is full or not writable; the previous file at `path` is intact.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            write(temporary)
    except (OSError, RuntimeError) as problem:
        # torch's own writer reports a full disk as a RuntimeError.
        if isinstance(problem, RuntimeError) and not any(
            word in str(problem) for word in ("write", "enforce")
        ):
            raise
        reason = getattr(problem, "strerror", None) or "the disk may be full"
        remedy = (
            write_remedy(problem) if isinstance(problem, OSError) else "check the disk and its free space"
        )
        raise ResourceError(
            f"cannot write '{path}' ({reason}); earlier files are intact: "
            f"{remedy}, then continue with --resume."
        ) from problem
