"""How fast this machine trains a given network, measured on a few batches of the training text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.batching.loader import BatchLoader
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.model.build import build_model
from nmt_lstm.numerics.precision import Precision, autocast
from nmt_lstm.text.preparation import Prepared, epoch_store
from nmt_lstm.training.optimization import build_optimizer, clip_gradients

__all__ = ["Pace", "measure_pace"]

_FEWEST_BATCHES = 2
_MOST_BATCHES = 20


@dataclass(frozen=True)
class Pace:
    """The speed of one network on this machine, over all its threads."""

    seconds_per_step: float
    """Of an optimizer step."""
    pieces_per_second: float
    """Target pieces, END counted and padding not."""
    steps_per_epoch: int
    """Optimizer steps of an epoch."""

    def seconds(self, epochs: float) -> float:
        """Seconds that the steps of so many epochs take; validation is not counted."""
        return epochs * self.steps_per_epoch * self.seconds_per_step


def measure_pace(
    run: RunSettings, prepared: Prepared, device: torch.device, precision: Precision, *, seconds: float
) -> Pace:
    """Train a copy of the run's network for some steps, throw it away, and return its pace.

    Each batch is computed twice and the second time counts: the first time libraries prepare kernels for its shape,
    which a long training rarely has to. Random numbers drawn here do not change what the run draws later.

    Args:
        run: the network, its optimizer and its batches.
        prepared: the text that the batches are cut from.
        device: to train on; its threads are those that PyTorch is set to.
        precision: to train in.
        seconds: roughly how long to measure; at least two batches are computed.
    """
    settings = run.training
    loader = BatchLoader(
        epoch_store(prepared, run, 0),
        batch_pieces=settings.batch_pieces,
        accumulate=settings.accumulate,
        seed=run.seed,
    )
    spent, pieces, parts = 0.0, 0, 0
    end = time.monotonic() + seconds
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        trained = _Step(run, prepared, device, precision)
        for batch in _spread(loader):
            trained(batch)
            spent += trained(batch)
            pieces, parts = pieces + batch.target_pieces, parts + 1
            if time.monotonic() > end and parts >= _FEWEST_BATCHES:
                break
    return Pace(
        seconds_per_step=spent / parts * settings.accumulate,
        pieces_per_second=pieces / spent,
        steps_per_epoch=len(loader) // settings.accumulate,
    )


class _Step:
    """A training step of a network of its own, timed."""

    def __init__(
        self, run: RunSettings, prepared: Prepared, device: torch.device, precision: Precision
    ) -> None:
        sizes = (prepared.subwords.source.size, prepared.subwords.target.size)
        self.model = build_model(run.model, *sizes).to(device)
        self.optimizer = build_optimizer(self.model, run.training.optimizer, fused=precision != "fp16")
        self.settings = run.training
        self.device = device
        self.precision = precision

    def __call__(self, batch: Batch) -> float:
        """Take the step and return its seconds."""
        begin = time.perf_counter()
        moved = batch.to(self.device)
        with autocast(self.device, self.precision):
            loss = self.model.loss(moved, label_smoothing=self.settings.label_smoothing)
        (loss.total / batch.loss_divisor).backward()
        clip_gradients(
            self.model, largest_norm=self.settings.clip_norm, largest_value=self.settings.clip_value
        )
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter() - begin


def _spread(loader: BatchLoader) -> Iterator[Batch]:
    """Yield batches from all over the epoch, so that short and long sentences are among them."""
    count = min(len(loader), _MOST_BATCHES)
    # An odd stride visits the places in an order that is mixed from the start.
    places = sorted(range(count), key=lambda place: (place * 7) % 20)
    for place in places:
        yield loader.batch(place * len(loader) // count)
