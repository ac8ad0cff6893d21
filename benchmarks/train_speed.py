"""Target pieces per second in training on one core, including batches, loss, gradients, clipping and optimizer steps.

The network has 1+1 LSTM layers of 512, embeddings of 256 and 8,000 pieces, unless --set changes it. Target pieces are
counted with the end of each sentence and without padding. The share of the machine's rate relates the products that the
model needs (see necessary_products.py) to one large product measured in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from processes import NETWORK
from report import Row
from text import data_overrides, find_text
from timing import Repeated, seconds
from training_steps import Rates, Training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--steps", type=int, default=25, metavar="N", help="steps in each repetition")
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="repetitions, after 5 warm-up steps"
    )
    parser.add_argument("--precision", choices=["float32", "bf16"], help="measure only this precision")
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
        fastest = resolve_precision("auto", "cpu")
        requested = [resolve_precision(options.precision, "cpu")] if options.precision else []
        precisions = requested or sorted({fastest, "float32"})
        for precision in precisions:
            training = Training.on_text(run, prepared, precision)
            training.take(warm_up)
            rates = [training.take(steps) for _ in range(repetitions)]
            rows += report(
                training, rates, precision, f"{steps} steps of {run.training.batch_pieces:,} on {text.name}"
            )
    return rows


def report(training: Training, rates: list[Rates], precision: str, counted: str) -> list[Row]:
    """Return the speed, the share of the machine's rate, and the time of each part."""
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    inputs, weight = torch.randn(2_000, 512, dtype=dtype), torch.randn(2_048, 512, dtype=dtype)
    fastest = 2.0 * 2_000 * 512 * 2_048 / min(
        seconds(lambda: torch.nn.functional.linear(inputs, weight), repetitions=5).values
    )  # fmt: skip
    speed = Repeated(tuple(each.target_pieces for each in rates))
    operations = Repeated(tuple(each.operations for each in rates))
    total = sum(training.parts.values())
    share = Repeated(tuple(100 * each / fastest for each in operations.values))
    rows = [
        Row(f"training, {precision}", speed.median, "target pieces/s", f"{counted}; {speed.spread()}"),
        Row(
            "  share of the product rate", share.median, "%",
            f"necessary products relative to {fastest / 1e9:,.0f} GFLOP/s; {share.spread(1)}",
        ),
    ]  # fmt: skip
    rows += [
        Row(f"  {name}", 100 * part / total, "%", "of the time of a step")
        for name, part in training.parts.items()
    ]
    return rows
