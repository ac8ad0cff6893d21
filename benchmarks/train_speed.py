"""Target pieces per second in training on one core: batches, loss, gradients, clipping and the optimizer's step.

The network has 1+1 LSTM layers of 512 and 8,000 pieces. Counted are target pieces, END included, padding excluded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from processes import NETWORK
from report import Row
from text import data_overrides, find_text

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.numerics.precision import Precision
    from nmt_lstm.text.preparation import Prepared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument(
        "--steps", type=int, default=60, metavar="N", help="steps that are timed, after 5 that are not"
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
    steps, warm_up = (3, 1) if options.quick else (options.steps, 5)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        overrides = {**NETWORK, **data_overrides(text, Path(folder))}
        run = make_run({}, [f"{key}={value}" for key, value in overrides.items()] + options.overrides)
        prepared = prepare(run)
        fastest = resolve_precision("auto", torch.device("cpu"))
        precisions = [options.precision] if options.precision else sorted({fastest, "float32"})
        for precision in precisions:
            speed = pieces_per_second(run, prepared, precision, warm_up, steps)
            counted = f"{steps} steps of {run.training.batch_pieces:,} on {text.name}, {prepared.subwords.target.size:,} pieces"
            rows.append(Row(f"training, {precision}", speed, "target pieces/s", counted))
    return rows


def pieces_per_second(
    run: RunSettings, prepared: Prepared, precision: Precision, warm_up: int, steps: int
) -> float:
    """Take `warm_up` steps, then time `steps` more."""
    import torch

    from nmt_lstm.batching.loader import BatchLoader
    from nmt_lstm.model.build import build_model
    from nmt_lstm.numerics.precision import autocast
    from nmt_lstm.training.optimization import build_optimizer, clip_gradients

    torch.manual_seed(run.seed)
    settings = run.training
    model = build_model(run.model, prepared.subwords.source.size, prepared.subwords.target.size)
    optimizer = build_optimizer(model, settings.optimizer, fused=True)
    loader = BatchLoader(prepared.train, batch_pieces=settings.batch_pieces, seed=run.seed)
    pieces, begin = 0, 0.0
    for step in range(warm_up + steps):
        if step == warm_up:
            pieces, begin = 0, time.perf_counter()
        batch = loader.batch(step % len(loader))
        optimizer.zero_grad()
        with autocast(torch.device("cpu"), precision):
            loss = model.loss(batch, settings.label_smoothing)
        (loss.total / batch.loss_divisor).backward()
        clip_gradients(model, largest_norm=settings.clip_norm, largest_value=settings.clip_value)
        optimizer.step()
        pieces += batch.target_pieces
    return pieces / (time.perf_counter() - begin)
