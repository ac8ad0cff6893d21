"""Training without Lightning, on any batches, with the time of each part of a step."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from necessary_products import training_operations

if TYPE_CHECKING:
    import torch

    from nmt_lstm.batching.batch import Batch
    from nmt_lstm.config.schema import RunSettings, TrainingSettings
    from nmt_lstm.model.seq2seq import Seq2Seq
    from nmt_lstm.numerics.precision import Precision
    from nmt_lstm.text.prepared import Prepared


class Rates(NamedTuple):
    """Rates over several steps, per second."""

    target_pieces: float
    pieces: float
    """Source and target pieces."""
    operations: float
    """Operations in the necessary products."""


class Training:
    """A training run whose parts are timed.

    Args:
        model: the model, on its device.
        settings: the training settings.
        batches: returns the batch of a step, on the processor.
        precision: the precision of the products.
        device: the device of the model. On a GPU, the times of parts are those of launching the work.
    """

    def __init__(
        self,
        model: Seq2Seq,
        settings: TrainingSettings,
        batches: Callable[[int], Batch],
        precision: Precision,
        device: torch.device,
    ) -> None:
        from nmt_lstm.training.optimization import build_optimizer

        self.model = model
        self.settings = settings
        self.batches = batches
        self.precision = precision
        self.device = device
        self.optimizer = build_optimizer(model, settings.optimizer, fused=True)
        self.step = 0
        self.parts: dict[str, float] = defaultdict(float)

    @classmethod
    def on_text(cls, run: RunSettings, prepared: Prepared, precision: Precision) -> Training:
        """Return the training run with these settings on the processor."""
        import torch

        from nmt_lstm.batching.loader import BatchLoader, plan_batches
        from nmt_lstm.model.build import build_model

        torch.manual_seed(run.seed)
        model = build_model(run.model, prepared.subwords.source.size, prepared.subwords.target.size)
        plan = plan_batches(prepared.train, batch_pieces=run.training.batch_pieces, seed=run.seed)
        loader = BatchLoader(prepared.train, plan)
        device = torch.device("cpu")
        return cls(model, run.training, lambda step: loader.batch(step % len(loader)), precision, device)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the time of a part of a step."""
        begin = time.perf_counter()
        yield
        self.parts[name] += time.perf_counter() - begin

    def take(self, steps: int) -> Rates:
        """Train for some steps and return their rates."""
        from nmt_lstm.model.loss import linear_cross_entropy
        from nmt_lstm.numerics.precision import autocast
        from nmt_lstm.training.optimization import clip_gradients

        model, target, source, operations = self.model, 0, 0, 0.0
        self._wait()
        begin = time.perf_counter()
        for _ in range(steps):
            with self.part("batches"):
                host_batch = self.batches(self.step)
                batch = host_batch.to(self.device)
            with autocast(self.device, self.precision):
                with self.part("encoder, forward"):
                    encoded = model.encode(batch.source)
                with self.part("decoder and attention, forward"):
                    decoded = model.decoder(encoded, model.target_embedding(batch.target_inputs))
                with self.part("loss, forward and gradient"):
                    outputs = decoded.outputs.flatten(0, 1).index_select(0, batch.target_positions)
                    labels = batch.target_outputs.flatten().index_select(0, batch.target_positions)
                    loss, _ = linear_cross_entropy(
                        outputs, model.output_weight, model.output_bias, labels, self.settings.label_smoothing
                    )
            with self.part("encoder, decoder and attention, backward"):
                (loss / batch.loss_divisor).backward()
            with self.part("clipping and optimizer"):
                clip_gradients(
                    model, largest_norm=self.settings.clip_norm, largest_value=self.settings.clip_value
                )
                self.optimizer.step()
                self.optimizer.zero_grad()
            target += batch.target_pieces
            source += batch.source_pieces
            operations += training_operations(model, host_batch)
            self.step += 1
        self._wait()
        seconds = time.perf_counter() - begin
        return Rates(target / seconds, (source + target) / seconds, operations / seconds)

    def _wait(self) -> None:
        import torch

        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
