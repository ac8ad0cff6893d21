"""Limits of the machine with the operations of torch: matrix products with typical shapes, fused LSTM, memory copies.

All other speeds should be compared with these. The processor is measured with one thread, and a GPU if there is one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from report import Row
from timing import Repeated, seconds

if TYPE_CHECKING:
    import torch

# Rows x inputs x outputs: an LSTM layer over a batch, one of its steps, the output layer in training and in a beam.
SHAPES = {
    "LSTM layer, whole batch": (2_000, 512, 2_048),
    "LSTM step": (100, 512, 2_048),
    "output layer, chunk": (256, 512, 8_000),
    "output layer, beam 5 x 64": (320, 512, 8_000),
}
LSTM = (100, 20, 512)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "--repetitions", type=int, default=7, metavar="N", help="repetitions of each measurement"
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure products, the LSTM and copies on the processor, and on a GPU if there is one."""
    import torch

    from nmt_lstm.numerics.bf16_trial import bf16_works

    torch.set_num_threads(1)
    repetitions = 3 if options.quick else options.repetitions
    devices = [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]
    rows: list[Row] = []
    for device in devices:
        for dtype in (torch.float32, torch.bfloat16):
            rows += [product(device, dtype, what, repetitions) for what in SHAPES]
        if device.type == "cpu":
            rows += int8_products(repetitions)
        has_bf16 = device.type != "cpu" or bf16_works()
        for dtype in (torch.float32, torch.bfloat16) if has_bf16 else (torch.float32,):
            rows.append(fused_lstm(device, dtype, repetitions))
        rows.append(copies(device, repetitions))
    return rows


def _timed(device: torch.device, function: Callable[[], object], repetitions: int) -> Repeated:
    import torch

    def call() -> None:
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return seconds(call, repetitions=repetitions)


def _rate(what: str, operations: float, timed: Repeated, counted: str) -> Row:
    rates = Repeated(tuple(operations / each / 1e9 for each in timed.values))
    return Row(what, rates.median, "GFLOP/s", f"{counted}; {rates.spread()}")


def product(device: torch.device, dtype: torch.dtype, what: str, repetitions: int) -> Row:
    """Time one matrix product."""
    import torch

    count, inputs, outputs = SHAPES[what]
    rows = torch.randn(count, inputs, device=device, dtype=dtype)
    weight = torch.randn(outputs, inputs, device=device, dtype=dtype)
    timed = _timed(device, lambda: torch.nn.functional.linear(rows, weight), repetitions)
    name = str(dtype).removeprefix("torch.")
    counted = f"{count:,} x {inputs:,} x {outputs:,}"
    return _rate(f"{device.type} {name}: {what}", 2.0 * count * inputs * outputs, timed, counted)


def int8_products(repetitions: int) -> list[Row]:
    """Time int8 products, where this torch has them."""
    import torch

    found = []
    for what, (count, inputs, outputs) in SHAPES.items():
        left = torch.randint(-128, 127, (count, inputs), dtype=torch.int8)
        right = torch.randint(-128, 127, (outputs, inputs), dtype=torch.int8)
        try:
            timed = _timed(
                torch.device("cpu"), lambda left=left, right=right: torch._int_mm(left, right.t()), repetitions
            )  # fmt: skip
        except (AttributeError, RuntimeError):
            return []
        counted = f"{count:,} x {inputs:,} x {outputs:,}, int32 results"
        found.append(_rate(f"cpu int8: {what}", 2.0 * count * inputs * outputs, timed, counted))
    return found


def fused_lstm(device: torch.device, dtype: torch.dtype, repetitions: int) -> Row:
    """Time torch's LSTM forward and backward."""
    import torch

    batch, time, hidden = LSTM
    lstm = torch.nn.LSTM(hidden, hidden, batch_first=True, device=device, dtype=dtype)
    inputs = torch.randn(batch, time, hidden, device=device, dtype=dtype, requires_grad=True)
    timed = _timed(device, lambda: lstm(inputs)[0].sum().backward(), repetitions)
    operations = 3 * 2.0 * batch * time * (hidden + hidden) * 4 * hidden
    name = str(dtype).removeprefix("torch.")
    counted = f"forward and backward, {batch} x {time} x {hidden}, products only"
    return _rate(f"{device.type} {name}: torch.nn.LSTM", operations, timed, counted)


def copies(device: torch.device, repetitions: int) -> Row:
    """Time a copy far larger than the caches."""
    import torch

    source = torch.zeros(64 * 2**20, device=device)
    target = torch.empty_like(source)
    timed = _timed(device, lambda: target.copy_(source), repetitions)
    rates = Repeated(tuple(2 * source.nbytes / each / 1e9 for each in timed.values))
    return Row(f"{device.type}: copy", rates.median, "GB/s", f"256 MiB, read and written; {rates.spread(1)}")
