"""Processor time of a training step by kind of operator, from the profiler of torch; one core."""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

from processes import NETWORK
from report import Row
from text import data_overrides, find_text
from training_steps import Training

# An operator belongs to the first kind of which its name contains a word.
KINDS = {
    "matrix products": ("linear", "aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::matmul"),
    "fused LSTM, forward and backward": ("rnn_layer",),
    "copies between layouts and formats": (
        "copy",
        "reorder",
        "contiguous",
        "clone",
        "to_dense",
        "to_mkldnn",
        "cat",
    ),
    "embedding lookup and row selection": ("index", "embedding", "gather", "scatter", "select_backward"),
    "optimizer and clipping": ("adam", "_foreach", "norm", "lerp"),
    "random numbers": ("bernoulli", "dropout", "random", "uniform"),
    "filling new memory": ("fill_", "zero_", "aten::zeros", "aten::ones", "aten::full", "empty"),
}
REST = "pointwise functions, sums and softmax"
OPERATORS_SHOWN = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--steps", type=int, default=10, metavar="N", help="profiled steps")
    parser.add_argument("--precision", choices=["float32", "bf16"], help="profile only this precision")


def measure(options: argparse.Namespace) -> list[Row]:
    """Profile some steps in each precision; shares relate to the time inside torch operators."""
    import torch

    from nmt_lstm.config.load import make_run
    from nmt_lstm.numerics.memory import keep_freed_memory
    from nmt_lstm.numerics.precision import resolve_precision
    from nmt_lstm.text.preparation import prepare

    torch.set_num_threads(1)
    keep_freed_memory()
    text = find_text(options.text)
    steps, warm_up = (1, 1) if options.quick else (options.steps, 20)
    fastest = resolve_precision("auto", "cpu")
    requested = [resolve_precision(options.precision, "cpu")] if options.precision else []
    precisions = requested or sorted({fastest, "float32"})
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        overrides = {**NETWORK, **data_overrides(text, Path(folder))}
        run = make_run({}, [f"{key}={value}" for key, value in overrides.items()])
        prepared = prepare(run)
        for precision in precisions:
            training = Training.on_text(run, prepared, precision)
            training.take(warm_up)
            with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
                training.take(steps)
            operators = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
            rows += shares(operators, f"{precision}, {steps} steps on {text.name}")
    return rows


def shares(operators: dict[str, float], counted: str) -> list[Row]:
    """Return the share of each kind of operator, and of the most expensive operators."""
    total = sum(operators.values())
    kinds: dict[str, float] = defaultdict(float)
    for name, seconds in operators.items():
        kinds[kind_of(name)] += seconds
    order = sorted(kinds.items(), key=lambda item: -item[1])
    costliest = sorted(operators.items(), key=lambda item: -item[1])[:OPERATORS_SHOWN]
    return [
        *(Row(kind, 100 * seconds / total, "%", counted) for kind, seconds in order),
        *(Row(f"  {name}", 100 * seconds / total, "%", kind_of(name)) for name, seconds in costliest),
    ]


def kind_of(name: str) -> str:
    """Return the kind of an operator."""
    return next((kind for kind, words in KINDS.items() if any(word in name for word in words)), REST)
