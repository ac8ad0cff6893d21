"""How fast this machine trains a network, measured on a few batches of the training text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.batching.loader import BatchLoader
from nmt_lstm.config.schema import ModelSettings, TrainingSettings
from nmt_lstm.model.build import build_model
from nmt_lstm.numerics.precision import Precision, autocast
from nmt_lstm.text.subwords import Subwords
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
    model: ModelSettings,
    training: TrainingSettings,
    *,
    subwords: Subwords,
    batches: BatchLoader,
    device: torch.device,
    precision: Precision,
    seconds: float,
) -> Pace:
    """Train a new network for some steps, throw it away, and return its pace.

    Each batch is computed twice and the second time counts: the first time libraries prepare kernels for its shape,
    which a long training rarely has to. Random numbers drawn here do not change what the run draws later.

    Args:
        model: the network.
        training: how it is trained.
        subwords: the vocabularies.
        batches: those of an epoch.
        device: to train on; its threads are those that PyTorch is set to.
        precision: to train in.
        seconds: roughly how long to measure; at least two batches are computed.
    """
    spent, pieces, parts = 0.0, 0, 0
    end = time.monotonic() + seconds
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        network = build_model(model, subwords.source.size, subwords.target.size).to(device)
        optimizer = build_optimizer(network, training.optimizer, fused=precision != "fp16")

        def step(batch: Batch) -> float:
            """Take a step and return its seconds."""
            begin = time.perf_counter()
            moved = batch.to(device)
            with autocast(device, precision):
                loss = network.loss(moved, label_smoothing=training.label_smoothing)
            (loss.total / batch.loss_divisor).backward()
            clip_gradients(network, largest_norm=training.clip_norm, largest_value=training.clip_value)
            optimizer.step()
            optimizer.zero_grad()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            return time.perf_counter() - begin

        for batch in _spread(batches):
            step(batch)
            spent += step(batch)
            pieces, parts = pieces + batch.target_pieces, parts + 1
            if time.monotonic() > end and parts >= _FEWEST_BATCHES:
                break
    return Pace(
        seconds_per_step=spent / parts * training.accumulate,
        pieces_per_second=pieces / spent,
        steps_per_epoch=len(batches.plan),
    )


def _spread(batches: BatchLoader) -> Iterator[Batch]:
    """Yield batches from all over the epoch, so that short and long sentences are among them."""
    count = min(len(batches), _MOST_BATCHES)
    # An odd stride visits the epoch in an order that is mixed from the start.
    for number in sorted(range(count), key=lambda number: (number * 7) % 20):
        yield batches.batch(number * len(batches) // count)
