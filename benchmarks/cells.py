"""What each registered cell costs beside the fused LSTM: training, one step of decoding, parameters, memory; one core.

Each cell is measured in a process of its own, and the LSTM there in turn with it: a machine that slows down does so for
both. Times are processor time.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from own_parts import add_plugin_option, load_plugins
from report import Row

if TYPE_CHECKING:
    from nmt_lstm import Cell

REFERENCE = "lstm"
DECODING_ROWS = 80


@dataclass(frozen=True)
class Shape:
    """What is measured."""

    batch: int
    length: int
    width: int
    repetitions: int
    bf16: bool

    @property
    def precision(self) -> str:
        """As in a run file."""
        return "bf16" if self.bf16 else "float32"


@dataclass(frozen=True)
class Pair:
    """Medians in ms of a cell and of the LSTM in turn with it."""

    cell: float
    reference: float

    @property
    def speed(self) -> float:
        """How many times the LSTM's speed the cell has."""
        return self.reference / self.cell


@dataclass(frozen=True)
class Costs:
    """Of one cell."""

    name: str
    shape: Shape
    parameters: int
    memory: float
    """MiB that forward and backward take besides the parameters and the inputs."""
    forward: Pair
    both: Pair
    step: Pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--cells", nargs="+", metavar="NAME", help="registered cells; all, if left out")
    add_plugin_option(parser, "cells")
    parser.add_argument("--batch", type=int, default=100, metavar="B", help="sentences")
    parser.add_argument("--length", type=int, default=20, metavar="T", help="positions")
    parser.add_argument("--width", type=int, default=512, metavar="H", help="of inputs and states")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="of each measurement")
    parser.add_argument("--precision", choices=["float32", "bf16", "both"], default="both")


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure each cell, print them side by side, and return all figures."""
    import torch

    from nmt_lstm import CELLS
    from nmt_lstm.numerics.bf16_trial import bf16_works
    from nmt_lstm.numerics.precision import resolve_precision

    torch.set_num_threads(1)
    own = load_plugins(options.plugin, CELLS)
    importlib.import_module("torch._dynamo")  # else every process would import it, at its first gradient
    names = options.cells or own or CELLS.names()
    sizes = (options.batch, options.length, options.width, options.repetitions)
    sizes = (6, 5, 32, 3) if options.quick else sizes
    if options.precision == "both":
        chosen = [False, True] if bf16_works() else [False]
    else:
        chosen = [resolve_precision(options.precision, "cpu") == "bf16"]
    found = [in_a_process(name, Shape(*sizes, bf16), options.plugin) for bf16 in chosen for name in names]
    show(found)
    return [row for costs in found for row in rows(costs)]


def in_a_process(name: str, shape: Shape, plugins: Sequence[str] = ()) -> Costs:
    """Measure a cell in a process that dies with it."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send_costs, args=(sender, name, shape, plugins))
    process.start()
    sender.close()
    try:
        costs: Costs = receiver.recv()
    except EOFError:
        raise SystemExit(f"the cell '{name}' cannot be measured: its process died, see above") from None
    process.join()
    return costs


def send_costs(sender: Connection, name: str, shape: Shape, plugins: Sequence[str]) -> None:
    """Measure a cell and send what was found."""
    from nmt_lstm import CELLS

    load_plugins(plugins, CELLS)  # a spawned process has none
    sender.send(costs_of(name, shape))


def costs_of(name: str, shape: Shape) -> Costs:
    """Measure a cell here."""
    import torch

    from nmt_lstm import CELLS
    from nmt_lstm.numerics.memory import keep_freed_memory

    torch.set_num_threads(1)
    torch.manual_seed(1)
    cell, reference = (CELLS.build(part, shape.width, shape.width).train() for part in (name, REFERENCE))
    inputs = torch.randn(shape.batch, shape.length, shape.width, requires_grad=True)
    position = torch.randn(DECODING_ROWS, shape.width)

    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=shape.bf16)

    def forward(part: Cell) -> torch.Tensor:
        with autocast():
            outputs: torch.Tensor = part(inputs, part.initial_state(shape.batch))[0]
        return outputs

    def both(part: Cell) -> None:
        part.zero_grad(set_to_none=True)
        inputs.grad = None
        outputs = forward(part)
        outputs.backward(torch.ones_like(outputs))

    def step(part: Cell) -> None:
        with torch.inference_mode(), autocast():
            part.eval().step(position, part.initial_state(DECODING_ROWS))
        part.train()

    before = peak_memory()
    both(cell)
    memory = peak_memory() - before
    keep_freed_memory()
    forwards, boths, steps = (
        in_turn(call, cell, reference, shape.repetitions) for call in (forward, both, step)
    )
    count = sum(parameter.numel() for parameter in cell.parameters())
    return Costs(name, shape, count, memory, forwards, boths, steps)


def in_turn(call: Callable[[Cell], object], cell: Cell, reference: Cell, repetitions: int) -> Pair:
    """Time a call of the cell and of the LSTM in turn; both are warmed up."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(repetitions + 1):
        for part, found in zip((cell, reference), times, strict=True):
            begin, calls = time.process_time(), 0
            while not calls or time.process_time() - begin < 0.02:
                call(part)
                calls += 1
            if number:
                found.append(1e3 * (time.process_time() - begin) / calls)
    return Pair(statistics.median(times[0]), statistics.median(times[1]))


def peak_memory() -> float:
    """Return the largest memory so far, MiB; where Linux lets us, since the call before."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
    lines = status.read_text(encoding="utf-8").splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    reset.write_text("5", encoding="utf-8")
    return int(peak) / 2**10


def rows(costs: Costs) -> list[Row]:
    """Return a cell's figures."""
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
            Row(what + name, pair.cell, "ms", f"{counted}; {pair.speed:.2f} times the LSTM's speed")
            for name, (pair, counted) in timed.items()
        ),
        Row(what + "parameters", costs.parameters, "values", f"{shape.width} to {shape.width}"),
        Row(what + "memory", max(costs.memory, 0.01), "MiB", f"forward and backward, {size}"),
    ]


def show(found: list[Costs]) -> None:
    """Print the cells side by side; x is how many times the fused LSTM's speed."""
    for precision in dict.fromkeys(costs.shape.precision for costs in found):
        chosen = [costs for costs in found if costs.shape.precision == precision]
        shape = chosen[0].shape
        print(f"{precision}, {shape.batch} x {shape.length} x {shape.width}; x: times the fused LSTM's speed")
        print(f"{'cell':22}{'parameters':>12}{'forward ms':>13}{'x':>6}{'+ backward ms':>15}{'x':>6}", end="")
        print(f"{'step ms':>10}{'x':>6}{'MiB':>7}")
        for costs in sorted(chosen, key=lambda costs: -costs.both.speed):
            print(f"{costs.name:22}{costs.parameters:12,}", end="")
            for pair, width in ((costs.forward, 13), (costs.both, 15), (costs.step, 10)):
                print(f"{pair.cell:{width}.2f}{pair.speed:6.2f}", end="")
            print(f"{costs.memory:7.0f}")
        print()
