"""Target pieces per second in training on one core: batches, loss, gradients, clipping and the optimizer's step.

The network has 1+1 LSTM layers of 512, embeddings of 256 and 8,000 pieces, unless --set says otherwise. Counted are target
pieces, END included, padding excluded. The share of the machine's rate counts only the products that the model needs
(see necessary_products.py) against one large product measured in the same run. `training.precision=float32` and so on
may be given by --set as well as by --precision.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from necessary_products import training_operations
from processes import NETWORK
from report import Row
from text import data_overrides, find_text
from timing import Repeated, seconds

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.numerics.precision import Precision
    from nmt_lstm.text.preparation import Prepared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--steps", type=int, default=25, metavar="N", help="steps of each repetition")
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="after 5 steps that are not timed"
    )
    parser.add_argument("--precision", choices=["float32", "bf16"], help="only this one")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE", help="change the network"
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Train for some steps in each precision."""
    import torch

    from nmt_lstm.config.load import make_run
    from nmt_lstm.numerics.memory import keep_freed_memory
    from nmt_lstm.numerics.precision import resolve_precision
    from nmt_lstm.text.preparation import prepare

    torch.set_num_threads(1)
    keep_freed_memory()
    text = find_text(options.text)
    steps, warm_up, repetitions = (3, 1, 2) if options.quick else (options.steps, 5, options.repetitions)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        overrides = {**NETWORK, **data_overrides(text, Path(folder))}
        run = make_run({}, [f"{key}={value}" for key, value in overrides.items()] + options.overrides)
        prepared = prepare(run)
        fastest = resolve_precision("auto", torch.device("cpu"))
        precisions = [options.precision] if options.precision else sorted({fastest, "float32"})
        for precision in precisions:
            training = Training(run, prepared, precision)
            training.take(warm_up)
            found = [training.take(steps) for _ in range(repetitions)]
            rows += report(
                training, found, precision, f"{steps} steps of {run.training.batch_pieces:,} on {text.name}"
            )
    return rows


class Training:
    """A training without Lightning around it, each part of a step timed.

    Args:
        run: the settings.
        prepared: the text.
        precision: of the products.
    """

    def __init__(self, run: RunSettings, prepared: Prepared, precision: Precision) -> None:
        import torch

        from nmt_lstm.batching.loader import BatchLoader
        from nmt_lstm.model.build import build_model
        from nmt_lstm.training.optimization import build_optimizer

        torch.manual_seed(run.seed)
        self.settings = run.training
        self.precision = precision
        self.model = build_model(run.model, prepared.subwords.source.size, prepared.subwords.target.size)
        self.optimizer = build_optimizer(self.model, self.settings.optimizer, fused=True)
        self.loader = BatchLoader(prepared.train, batch_pieces=self.settings.batch_pieces, seed=run.seed)
        self.step = 0
        self.operations = 0.0
        self.parts: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of a part."""
        begin = time.perf_counter()
        yield
        self.parts[name] += time.perf_counter() - begin

    def take(self, steps: int) -> tuple[float, float]:
        """Take steps and return pieces per second and necessary operations per second."""
        import torch

        from nmt_lstm.model.loss import linear_cross_entropy
        from nmt_lstm.numerics.precision import autocast
        from nmt_lstm.training.optimization import clip_gradients

        model, pieces, operations = self.model, 0, 0.0
        begin = time.perf_counter()
        for _ in range(steps):
            with self.part("batches"):
                batch = self.loader.batch(self.step % len(self.loader))
            with autocast(torch.device("cpu"), self.precision):
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
            pieces += batch.target_pieces
            operations += training_operations(model, batch)
            self.step += 1
        spent = time.perf_counter() - begin
        return pieces / spent, operations / spent


def report(training: Training, found: list[tuple[float, float]], precision: str, counted: str) -> list[Row]:
    """Return speed, share of the machine's rate, and where the time went."""
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    inputs, weight = torch.randn(2_000, 512, dtype=dtype), torch.randn(2_048, 512, dtype=dtype)
    fastest = 2.0 * 2_000 * 512 * 2_048 / min(
        seconds(lambda: torch.nn.functional.linear(inputs, weight), repetitions=5).values
    )  # fmt: skip
    speed, operations = (Repeated(tuple(column)) for column in zip(*found, strict=True))
    total = sum(training.parts.values())
    share = Repeated(tuple(100 * each / fastest for each in operations.values))
    rows = [
        Row(f"training, {precision}", speed.median, "target pieces/s", f"{counted}; {speed.spread()}"),
        Row(
            "  share of the product rate", share.median, "%",
            f"necessary products against {fastest / 1e9:,.0f} GFLOP/s; {share.spread(1)}",
        ),
    ]  # fmt: skip
    rows += [
        Row(f"  {name}", 100 * spent / total, "%", "of a step's time")
        for name, spent in training.parts.items()
    ]
    return rows
