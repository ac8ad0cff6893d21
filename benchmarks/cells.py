"""Cost of each registered cell relative to the fused LSTM: training, a decoding step, parameters, memory; one core.

Each cell is measured in a process of its own, alternating with the LSTM. Times are processor time.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from plugin_option import add_plugin_option, load_plugins
from report import Row
from timing import alternating

if TYPE_CHECKING:
    from nmt_lstm import Cell

REFERENCE = "lstm"
DECODING_ROWS = 80


@dataclass(frozen=True)
class Shape:
    """The sizes and the precision of a measurement."""

    batch: int
    length: int
    width: int
    repetitions: int
    bf16: bool

    @property
    def precision(self) -> str:
        """The precision as named in a run file."""
        return "bf16" if self.bf16 else "float32"


class Pair(NamedTuple):
    """Median times of a cell and of the LSTM, in ms."""

    cell: float
    reference: float

    @property
    def speed(self) -> float:
        """Speed of the cell relative to the LSTM."""
        return self.reference / self.cell


@dataclass(frozen=True)
class Costs:
    """The costs of a cell."""

    name: str
    shape: Shape
    parameters: int
    memory: float
    """MiB for forward and backward, besides parameters and inputs."""
    forward: Pair
    both: Pair
    step: Pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--cells", nargs="+", metavar="NAME", help="registered cells; by default all")
    add_plugin_option(parser, "cells")
    parser.add_argument("--batch", type=int, default=100, metavar="B", help="sentences")
    parser.add_argument("--length", type=int, default=20, metavar="T", help="positions")
    parser.add_argument("--width", type=int, default=512, metavar="H", help="width of inputs and states")
    parser.add_argument(
        "--repetitions", type=int, default=7, metavar="N", help="repetitions of each measurement"
    )
    parser.add_argument("--precision", choices=["float32", "bf16", "both"], default="both")


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure each cell, print a table of all cells, and return the measurements."""
    import torch

    from nmt_lstm import CELLS
    from nmt_lstm.numerics.bf16_trial import bf16_works
    from nmt_lstm.numerics.precision import resolve_precision

    torch.set_num_threads(1)
    from_plugins = load_plugins(options.plugin, CELLS)
    importlib.import_module("torch._dynamo")  # otherwise every process would import it at its first gradient
    names = options.cells or from_plugins or CELLS.names()
    sizes = (options.batch, options.length, options.width, options.repetitions)
    sizes = (6, 5, 32, 3) if options.quick else sizes
    if options.precision == "both":
        precisions = [False, True] if bf16_works() else [False]
    else:
        precisions = [resolve_precision(options.precision, "cpu") == "bf16"]
    measured = [
        measure_in_process(name, Shape(*sizes, bf16), options.plugin) for bf16 in precisions for name in names
    ]
    show(measured)
    return [row for costs in measured for row in rows(costs)]


def measure_in_process(name: str, shape: Shape, plugins: Sequence[str] = ()) -> Costs:
    """Measure a cell in a process of its own."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send_costs, args=(sender, name, shape, plugins))
    process.start()
    sender.close()
    try:
        costs: Costs = receiver.recv()
    except EOFError:
        raise SystemExit(f"cell '{name}' cannot be measured: its process died, see above") from None
    process.join()
    return costs


def send_costs(sender: Connection, name: str, shape: Shape, plugins: Sequence[str]) -> None:
    """Measure a cell and send its costs."""
    from nmt_lstm import CELLS

    load_plugins(plugins, CELLS)  # a spawned process has not loaded them
    sender.send(costs_of(name, shape))


def costs_of(name: str, shape: Shape) -> Costs:
    """Measure a cell in this process."""
    import torch

    from nmt_lstm import CELLS
    from nmt_lstm.numerics.memory import keep_freed_memory

    torch.set_num_threads(1)
    torch.manual_seed(1)
    cell, reference = (CELLS.build(each, shape.width, shape.width).train() for each in (name, REFERENCE))
    inputs = torch.randn(shape.batch, shape.length, shape.width, requires_grad=True)
    position = torch.randn(DECODING_ROWS, shape.width)

    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=shape.bf16)

    def forward(each: Cell) -> torch.Tensor:
        with autocast():
            outputs: torch.Tensor = each(inputs, each.initial_state(shape.batch))[0]
        return outputs

    def both(each: Cell) -> None:
        each.zero_grad(set_to_none=True)
        inputs.grad = None
        outputs = forward(each)
        outputs.backward(torch.ones_like(outputs))

    def step(each: Cell) -> None:
        with torch.inference_mode(), autocast():
            each.eval().step(position, each.initial_state(DECODING_ROWS))
        each.train()

    before = peak_memory()
    both(cell)
    memory = peak_memory() - before
    keep_freed_memory()
    forwards, boths, steps = (
        Pair(*alternating(call, cell, reference, shape.repetitions)) for call in (forward, both, step)
    )
    count = sum(parameter.numel() for parameter in cell.parameters())
    return Costs(name, shape, count, memory, forwards, boths, steps)


def peak_memory() -> float:
    """Return the peak memory in MiB; on Linux, since the previous call."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
    lines = status.read_text(encoding="utf-8").splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    reset.write_text("5", encoding="utf-8")
    return int(peak) / 2**10


def rows(costs: Costs) -> list[Row]:
    """Return the measurements of a cell."""
    shape = costs.shape
    what = f"{costs.name}, {shape.precision}: "
    size = f"{shape.batch} x {shape.length} x {shape.width}"
    timed = {
        "forward": (costs.forward, size),
        "forward and backward": (costs.both, size),
        "one step": (costs.step, f"{DECODING_ROWS} rows of {shape.width}"),
    }
    return [
        *(
            Row(what + name, pair.cell, "ms", f"{counted}; {pair.speed:.2f} times the speed of the LSTM")
            for name, (pair, counted) in timed.items()
        ),
        Row(what + "parameters", costs.parameters, "values", f"{shape.width} to {shape.width}"),
        Row(what + "memory", max(costs.memory, 0.01), "MiB", f"forward and backward, {size}"),
    ]


def show(measured: list[Costs]) -> None:
    """Print a table of the cells; x is the speed relative to the fused LSTM."""
    for precision in dict.fromkeys(costs.shape.precision for costs in measured):
        chosen = [costs for costs in measured if costs.shape.precision == precision]
        shape = chosen[0].shape
        print(
            f"{precision}, {shape.batch} x {shape.length} x {shape.width}; x: speed relative to the fused LSTM"
        )
        print(f"{'cell':22}{'parameters':>12}{'forward ms':>13}{'x':>6}{'+ backward ms':>15}{'x':>6}", end="")
        print(f"{'step ms':>10}{'x':>6}{'MiB':>7}")
        for costs in sorted(chosen, key=lambda costs: -costs.both.speed):
            print(f"{costs.name:22}{costs.parameters:12,}", end="")
            for pair, width in ((costs.forward, 13), (costs.both, 15), (costs.step, 10)):
                print(f"{pair.cell:{width}.2f}{pair.speed:6.2f}", end="")
            print(f"{costs.memory:7.0f}")
        print()
