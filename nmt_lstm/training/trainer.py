"""Lightning's Trainer as `fit` uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytorch_lightning as pl
import torch
from lightning_utilities.core.imports import module_available
from pytorch_lightning.loggers import Logger, TensorBoardLogger
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy, Strategy

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.training.checkpoint_files import AtomicCheckpointIO
from nmt_lstm.training.csv_log import CsvLog
from nmt_lstm.training.devices import Devices
from nmt_lstm.training.processes import RunEnvironment

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
    environment: RunEnvironment,
    precision: Precision,
    step: int,
    callback: pl.Callback,
) -> pl.Trainer:
    """Return a Trainer that leaves validation, checkpoints, progress and limits other than epochs to `callback`.

    Its logs go on after `step`, the optimizer steps that a resumed training has done.
    """
    return pl.Trainer(
        accelerator=devices.accelerator,
        devices=devices.count,
        num_nodes=devices.nodes,
        strategy=_strategy(settings, devices),
        precision=_PRECISIONS[precision],
        plugins=[AtomicCheckpointIO(), environment],
        logger=_loggers(output, step, tensorboard=settings.tensorboard),
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


def _strategy(settings: TrainingSettings, devices: Devices) -> Strategy | str:
    """Return Lightning's strategy: DDP for several processes, which alone have something to share."""
    on_gpu = devices.accelerator == "gpu"
    if devices.world_size == 1:
        return SingleDeviceStrategy(device=torch.device("cuda", 0)) if on_gpu else "auto"
    return DDPStrategy(
        process_group_backend="nccl" if on_gpu else "gloo",
        find_unused_parameters=settings.strategy == "ddp_find_unused_parameters_true",
        gradient_as_bucket_view=True,
    )


def _loggers(output: Path, step: int, *, tensorboard: bool) -> list[Logger]:
    loggers: list[Logger] = [CsvLog(output)]
    if tensorboard and module_available("tensorboard"):
        loggers.append(
            # One curve over all sessions: without a version they share a folder, and what comes after the step is hidden.
            TensorBoardLogger(
                output / "logs", name="tensorboard", version="", default_hp_metric=False, purge_step=step + 1
            )
        )
    return loggers
