"""Lightning's Trainer as `fit` uses it, without Lightning's messages to authors of Lightning code."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy, Strategy

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.training.checkpointing import AtomicCheckpointIO
from nmt_lstm.training.devices import Devices
from nmt_lstm.training.processes import RunEnvironment
from nmt_lstm.training.run_context import RunContext

__all__ = ["build_trainer", "silence_lightning"]

_PRECISIONS: dict[Precision, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "float32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
_LOGGERS = ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric")


def build_trainer(
    settings: TrainingSettings,
    context: RunContext,
    environment: RunEnvironment,
    *,
    callbacks: Sequence[pl.Callback],
    loggers: Sequence[Logger],
    streamed: bool = False,
) -> pl.Trainer:
    """Return a Trainer that leaves validation, checkpoints, progress and limits other than epochs to `callbacks`.

    If the run is `streamed`, it has no epochs.
    """
    devices = context.devices
    return pl.Trainer(
        accelerator=devices.accelerator,
        devices=devices.count,
        num_nodes=devices.nodes,
        strategy=_strategy(settings, devices),
        precision=_PRECISIONS[context.precision],
        plugins=[AtomicCheckpointIO(), environment],
        logger=list(loggers),
        callbacks=list(callbacks),
        min_epochs=0,
        max_epochs=-1 if streamed else settings.epochs,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        accumulate_grad_batches=settings.accumulate,
        reload_dataloaders_every_n_epochs=1,  # epochs may differ in their number of batches
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=context.output,
    )


def _strategy(settings: TrainingSettings, devices: Devices) -> Strategy | str:
    """Return Lightning's strategy: DDP for several processes, otherwise one without its overhead."""
    on_gpu = devices.accelerator == "gpu"
    if devices.world_size == 1:
        return SingleDeviceStrategy(device=torch.device("cuda", 0)) if on_gpu else "auto"
    return DDPStrategy(
        process_group_backend="nccl" if on_gpu else "gloo",
        find_unused_parameters=settings.strategy == "ddp_find_unused_parameters_true",
        gradient_as_bucket_view=True,
    )


@contextmanager
def silence_lightning() -> Iterator[None]:
    """Context manager that silences tips, device lists and warnings, which are meant for authors of Lightning code."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric|torch\.distributed)")
        warnings.filterwarnings(
            "ignore", message=r".*(LeafSpec|does not have many workers|isinstance\(treespec).*"
        )
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
