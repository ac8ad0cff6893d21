"""Lightning's Trainer as `fit` uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytorch_lightning as pl
from lightning_utilities.core.imports import module_available
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.training.checkpoint_files import AtomicCheckpointIO
from nmt_lstm.training.devices import Devices

__all__ = ["build_trainer"]

_PRECISIONS: dict[Precision, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "float32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}


def build_trainer(
    settings: TrainingSettings,
    *,
    output: Path,
    devices: Devices,
    precision: Precision,
    callback: pl.Callback,
) -> pl.Trainer:
    """Return a Trainer that leaves validation, checkpoints, progress and limits other than epochs to `callback`."""
    return pl.Trainer(
        accelerator=devices.accelerator,
        devices=devices.count,
        num_nodes=devices.nodes,
        strategy=devices.strategy(),
        precision=_PRECISIONS[precision],
        plugins=[AtomicCheckpointIO(), *devices.plugins()],
        logger=_loggers(output / "logs", tensorboard=settings.tensorboard),
        callbacks=[callback],
        min_epochs=0,
        max_epochs=settings.epochs,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        accumulate_grad_batches=settings.accumulate,
        reload_dataloaders_every_n_epochs=1,  # epochs may differ in their number of batches
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=output,
    )


def _loggers(folder: Path, *, tensorboard: bool) -> list[Logger]:
    loggers: list[Logger] = [CSVLogger(folder, name="csv")]
    if tensorboard and module_available("tensorboard"):
        loggers.append(TensorBoardLogger(folder, name="tensorboard", default_hp_metric=False))
    return loggers
