"""Training speed and loss: counted while a run trains, and measured beforehand on a few batches."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nmt_lstm.batching.batch import Batch
from nmt_lstm.batching.loader import PlannedBatches
from nmt_lstm.config.schema import ModelSettings, TrainingSettings
from nmt_lstm.config.tasks import TaskName
from nmt_lstm.model.build import build_network
from nmt_lstm.numerics.precision import Precision, autocast
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.optimization import build_optimizer, clip_gradients

__all__ = ["StepStatistics", "Throughput", "TrainingMeter", "measure_throughput"]

_MIN_BATCHES = 2
_MAX_BATCHES = 20


@dataclass(frozen=True)
class StepStatistics:
    """The loss and the speed of consecutive training steps of one process."""

    loss: float
    """Negative log-likelihood of the target pieces, in nats."""
    pieces: int
    """Target pieces; END is counted, padding is not."""
    seconds: float
    left_out: int = 0
    """Target pieces whose loss is not counted, because their step diverged."""

    @property
    def mean_loss(self) -> float:
        """Nats per target piece; NaN without pieces."""
        pieces = self.pieces - self.left_out
        return self.loss / pieces if pieces else math.nan

    def pieces_per_second(self, processes: int) -> float:
        """Return the target pieces per second of this many processes; NaN without pieces."""
        return self.pieces * processes / max(self.seconds, 1e-9) if self.pieces else math.nan


class TrainingMeter:
    """Counts the training steps of this process; each reader, such as the log or the display, has its own.

    Sums are tensors on the training device: adding to them does not wait for the device, reading them does.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start counting now, so that the time before, such as that of a validation, is left out."""
        self._loss: Tensor | float = 0.0
        self._left_out: Tensor | int = 0
        self._pieces = 0
        self._earlier_seconds = 0.0
        self.restart_clock()

    def restart_clock(self) -> None:
        """Leave out the time from the last call, or from the last step before a resume, until now."""
        self._start = time.monotonic()

    def add(self, loss: Tensor | float, pieces: int, left_out: Tensor | int = 0) -> None:
        """Count a micro-batch.

        Args:
            loss: negative log-likelihood in nats, a scalar.
            pieces: its target pieces.
            left_out: those of them whose loss is left out.
        """
        self._left_out = self._left_out + left_out
        self._loss = self._loss + loss
        self._pieces += pieces

    def take(self) -> StepStatistics:
        """Return the statistics since the last call, and start counting the next ones."""
        statistics = self.read()
        self.restart()
        return statistics

    def read(self) -> StepStatistics:
        """Return the statistics so far. Waits for the device."""
        loss, left_out = float(self._loss), int(self._left_out)
        # After the device has finished.
        return StepStatistics(loss, self._pieces, self._seconds(), left_out)

    def _seconds(self) -> float:
        return self._earlier_seconds + time.monotonic() - self._start

    def state_dict(self) -> dict[str, Any]:
        """Return the sums for a checkpoint, and the time in "clock". Waits for the device."""
        return {
            "loss": float(self._loss),
            "left_out": int(self._left_out),
            "pieces": self._pieces,
            "clock": self._seconds(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from the sums in a checkpoint."""
        self._loss, self._left_out = float(state["loss"]), int(state["left_out"])
        self._pieces, self._earlier_seconds = int(state["pieces"]), float(state["clock"])
        self.restart_clock()


@dataclass(frozen=True)
class Throughput:
    """The speed at which this machine trains a network, with all its threads."""

    seconds_per_step: float
    """Of an optimizer step."""
    pieces_per_second: float
    """Target pieces; END is counted, padding is not."""
    steps_per_epoch: int
    """Optimizer steps of an epoch."""

    def seconds(self, epochs: float) -> float:
        """Return the seconds that this many epochs take, without validation."""
        return epochs * self.steps_per_epoch * self.seconds_per_step


def measure_throughput(
    model: ModelSettings,
    training: TrainingSettings,
    task: TaskName = "translation",
    *,
    subwords: Subwords,
    batches: PlannedBatches,
    device: torch.device,
    precision: Precision,
    seconds: float,
) -> Throughput:
    """Train a new network for a few steps, discard it, and return its throughput.

    Each batch is computed twice, and only the second time counts: the first time libraries prepare kernels for its
    shape, which is rare in a long run. The random numbers drawn here do not change those that the run draws later.

    Args:
        model: the network.
        training: how it is trained.
        task: for what.
        subwords: the vocabularies.
        batches: those of an epoch.
        device: to train on, with the number of threads that PyTorch is set to.
        precision: to train in.
        seconds: roughly how long to measure; at least two batches are computed.
    """
    elapsed, pieces, count = 0.0, 0, 0
    end = time.monotonic() + seconds
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        network = build_network(task, model, subwords.source.size, subwords.target.size).to(device)
        optimizer = build_optimizer(network, training.optimizer, fused=precision != "fp16")

        def step(batch: Batch) -> float:
            """Take a step and return its seconds."""
            start = time.perf_counter()
            moved = batch.to(device)
            with autocast(device, precision):
                loss = network.loss(moved, label_smoothing=training.label_smoothing)
            (loss.total / batch.loss_divisor).backward()
            clip_gradients(network, largest_norm=training.clip_norm, largest_value=training.clip_value)
            optimizer.step()
            optimizer.zero_grad()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            return time.perf_counter() - start

        for batch in _sample_epoch(batches):
            step(batch)
            elapsed += step(batch)
            pieces, count = pieces + batch.target_pieces, count + 1
            if time.monotonic() > end and count >= _MIN_BATCHES:
                break
    return Throughput(
        seconds_per_step=elapsed / count * training.accumulate,
        pieces_per_second=pieces / elapsed,
        steps_per_epoch=len(batches.plan),
    )


def _sample_epoch(batches: PlannedBatches) -> Iterator[Batch]:
    """Yield batches from the whole epoch, so that both short and long sentences are among them."""
    count = min(len(batches), _MAX_BATCHES)
    # 7 and 20 share no factor: the order visits each of the positions, and early ones are far apart.
    for number in sorted(range(count), key=lambda number: (number * 7) % 20):
        yield batches.batch(number * len(batches) // count)
