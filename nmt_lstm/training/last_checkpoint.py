"""``last.ckpt``: never replaced by what cannot be resumed, and taken back if it turns out so."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytorch_lightning as pl
from torch import Tensor

from nmt_lstm.errors import DivergenceError
from nmt_lstm.files.atomic import temporary_path
from nmt_lstm.training.divergence import all_finite
from nmt_lstm.training.module import TranslationModule

__all__ = ["LastCheckpoint"]


class LastCheckpoint:
    """The whole state of a training on disk.

    Weights are proven by a validation, or by the next step. Until then the checkpoint before is kept beside: weights
    may be finite and yet too large to be computed with.

    Args:
        path: where it is.
        saved_step: the step of the one that is there; -1 for none.
        proven: whether a validation has proven that.
    """

    def __init__(self, path: Path, *, saved_step: int = -1, proven: bool = False) -> None:
        self.path = path
        self._saved_step = saved_step
        self._proven = proven
        self._before = path.with_name(f"before-{path.name}")

    def save(self, trainer: pl.Trainer, module: TranslationModule, *, proven: bool) -> None:
        """Save the state after a step. All processes must take part.

        Args:
            trainer: with the state.
            module: what is trained.
            proven: whether a validation of these weights had a finite loss.

        Raises:
            DivergenceError: a weight or something of the optimizer is not finite; nothing is written.
            ResourceError: the disk is full or cannot be written; the checkpoint before is still there.
        """
        module.check_gradients()
        if not all_finite(_values(trainer, module)):
            raise DivergenceError(trainer.global_step, module.learning_rate, what="a weight")
        if not proven and trainer.is_global_zero:
            self._keep()
        trainer.save_checkpoint(self.path)
        self._saved_step, self._proven = trainer.global_step, proven
        if proven and trainer.is_global_zero:
            self._before.unlink(missing_ok=True)

    def take_back(self, step: int) -> None:
        """Replace it by the one before if the saved weights are those that fail after `step`."""
        if self._saved_step == step and not self._proven and self._before.exists():
            self._before.replace(self.path)

    def _keep(self) -> None:
        """Give the checkpoint a second name; it keeps its own name all the time."""
        if not self.path.exists():
            return
        written = temporary_path(self._before)
        try:
            try:
                os.link(self.path, written)
            except OSError:  # a file system without links
                shutil.copyfile(self.path, written)
            written.replace(self._before)
        finally:
            with contextlib.suppress(OSError):
                written.unlink(missing_ok=True)


def _values(trainer: pl.Trainer, module: TranslationModule) -> Iterator[Tensor]:
    yield from module.model.state_dict().values()
    for optimizer in trainer.optimizers:
        for state in optimizer.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))
