"""Checks of a cell over time and over rows: what the encoder, the decoder and the search rely on."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.testing.comparison import Comparison, same_shape
from nmt_lstm.testing.failure import ConformanceFailure
from nmt_lstm.testing.subject import CellSubject

__all__ = [
    "beams_reorder",
    "by_steps",
    "cut_sequence_continues",
    "empty_sequence_is_refused",
    "later_inputs_change_nothing",
    "row_alone_equals_row_in_batch",
    "sizes_and_dtypes",
    "steps_equal_sequence",
]


def by_steps(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Return what `forward` should: outputs (B, T, output_size) and the last state, from single steps."""
    outputs = []
    for position in inputs.unbind(1):
        output, state = cell.step(position, state)
        outputs.append(output)
    return torch.stack(outputs, 1), state


def sizes_and_dtypes(subject: CellSubject) -> str:
    """Outputs and states have the declared widths, batch first, in the inputs' dtype; one row and one position work."""
    for sized in (subject.with_equal_widths(), subject):
        for dtype in (torch.float32, torch.float64):
            cell = sized.build(dtype)
            for batch, length in ((3, 5), (1, 1), (3, 1), (1, 4)):
                _check_sizes(sized, cell, batch, length, dtype)
    sizes = ", ".join(f"{name} {width}" for name, width in cell.state_sizes.items())
    return f"output {cell.output_size}; state: {sizes}"


def _check_sizes(subject: CellSubject, cell: Cell, batch: int, length: int, dtype: torch.dtype) -> None:
    widths = tuple(cell.state_sizes.values())
    initial = cell.initial_state(batch)
    _check_state("initial_state", initial, batch, widths, dtype)
    inputs = subject.inputs(batch, length, dtype)
    for start in (initial, subject.state(cell, batch, dtype)):
        outputs, last = cell(inputs, start)
        _check("forward's output", outputs, (batch, length, cell.output_size), dtype)
        _check_state("forward", last, batch, widths, dtype)
        output, after = cell.step(inputs[:, 0], start)
        _check("step's output", output, (batch, cell.output_size), dtype)
        _check_state("step", after, batch, widths, dtype)


def _check(what: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    same_shape(
        what, tensor, shape, "Shapes are (batch, time, output_size), and (batch, output_size) for a step."
    )
    if tensor.dtype != dtype:
        raise ConformanceFailure(
            f"{what} is {tensor.dtype}, but inputs and parameters are {dtype}",
            "Make new tensors like the inputs: inputs.new_zeros(...), tensor.to(inputs.dtype).",
        )
    if not bool(torch.isfinite(tensor).all()):
        raise ConformanceFailure(
            f"{what} holds NaN or infinite values",
            "Look for a logarithm, a square root or a division. A state may be anything between -1 and 1 at the start: the "
            "bridge from the encoder makes it.",
        )


def _check_state(who: str, state: object, batch: int, widths: tuple[int, ...], dtype: torch.dtype) -> None:
    if not isinstance(state, tuple) or len(state) != len(widths):
        seen = f"a tuple of {len(state)}" if isinstance(state, tuple) else type(state).__name__
        raise ConformanceFailure(
            f"the state from {who} is {seen}, but state_sizes names {len(widths)} tensors",
            "A state is always a tuple of tensors, in the order of state_sizes.",
        )
    for number, (part, width) in enumerate(zip(state, widths, strict=True)):
        _check(f"state {number} from {who}", part, (batch, width), dtype)


def steps_equal_sequence(subject: CellSubject) -> str:
    """A whole sequence gives what its single steps give: training uses the one, search the other."""
    comparison = Comparison(
        1e-5, "forward and step compute different things; search would not use what was trained."
    )
    for sized in (subject, subject.with_equal_widths()):
        for dtype in (torch.float32, torch.float64):
            cell = sized.build(dtype)
            inputs = sized.inputs(dtype=dtype)
            for start in (cell.initial_state(3), sized.state(cell, dtype=dtype)):
                with torch.no_grad():
                    outputs, last = cell(inputs, start)
                    expected, expected_last = by_steps(cell, inputs, start)
                comparison.add("outputs", outputs, expected)
                for number, (seen, wanted) in enumerate(zip(last, expected_last, strict=True)):
                    comparison.add(f"last state {number}", seen, wanted)
    return str(comparison)


def later_inputs_change_nothing(subject: CellSubject) -> str:
    """An output depends on no later input: padding stands at the end, and must not be seen."""
    comparison = Comparison(
        1e-6, "The cell looks ahead (or mixes positions, as a normalisation over time does)."
    )
    cell = subject.build()
    inputs = subject.inputs(length=6)
    start = subject.state(cell)
    with torch.no_grad():
        expected, _ = cell(inputs, start)
        for length in (1, 3, 5):
            changed = inputs.clone()
            changed[:, length:] = 10 * subject.inputs(length=6 - length, seed=7)
            outputs, _ = cell(changed, start)
            comparison.add(f"outputs before position {length}", outputs[:, :length], expected[:, :length])
    return str(comparison)


def cut_sequence_continues(subject: CellSubject) -> str:
    """A sequence cut in two and continued from the state gives what the uncut one gives."""
    comparison = Comparison(
        1e-5, "Something that the next position needs is missing from the returned state."
    )
    cell = subject.build()
    inputs = subject.inputs(length=6)
    start = subject.state(cell)
    with torch.no_grad():
        expected, expected_last = cell(inputs, start)
        for cut in (1, 3, 5):
            before, state = cell(inputs[:, :cut], start)
            after, last = cell(inputs[:, cut:], state)
            comparison.add(f"outputs, cut at {cut}", torch.cat([before, after], 1), expected)
            for number, (seen, wanted) in enumerate(zip(last, expected_last, strict=True)):
                comparison.add(f"last state {number}, cut at {cut}", seen, wanted)
    return str(comparison)


def row_alone_equals_row_in_batch(subject: CellSubject) -> str:
    """Without gradients, a row's result has the same bits in any batch: a translation depends on no other line."""
    comparison = Comparison(
        0.0,
        "Products by nmt_lstm.linear or nmt_lstm.Linear, the logistic function by nmt_lstm.sigmoid "
        "(in GatedCell.update torch.sigmoid will do); no statistic may run over the batch.",
    )
    cell = subject.build()
    rows = 19
    inputs, state = subject.inputs(rows, 4), subject.state(cell, rows)
    with torch.no_grad():
        expected, expected_last = cell(inputs, state)
        expected_step, expected_after = cell.step(inputs[:, 0], state)
        for size in (1, 2, 3, 7):
            for first in range(0, rows, size):
                part = slice(first, first + size)
                where = f"rows {first} to {min(rows, first + size) - 1} of {rows} alone"
                chosen = tuple(tensor[part] for tensor in state)
                outputs, last = cell(inputs[part], chosen)
                output, after = cell.step(inputs[part, 0], chosen)
                comparison.add(f"forward, {where}", outputs, expected[part])
                comparison.add(f"step, {where}", output, expected_step[part])
                for seen, wanted in zip((*last, *after), (*expected_last, *expected_after), strict=True):
                    comparison.add(f"state, {where}", seen, wanted[part])
    return str(comparison)


def empty_sequence_is_refused(subject: CellSubject) -> str:
    """A sequence without a position raises a ValueError that names its shape."""
    cell = subject.build()
    inputs = subject.inputs(2, 0)
    hint = "Begin forward with nmt_lstm.check_sequence(self, inputs)."
    shape = str(tuple(inputs.shape))
    try:
        cell(inputs, cell.initial_state(2))
    except ValueError as problem:
        if shape not in str(problem):
            raise ConformanceFailure(
                f"the ValueError does not name the shape {shape}: {problem}", hint
            ) from problem
        return f"ValueError names {shape}"
    except Exception as problem:
        raise ConformanceFailure(
            f"inputs of shape {shape} raise {type(problem).__name__}, expected ValueError: {problem}", hint
        ) from problem
    raise ConformanceFailure(f"inputs of shape {shape} are accepted", hint)


def beams_reorder(subject: CellSubject) -> str:
    """States picked by row continue as those rows would: beam search reorders, repeats and drops them."""
    comparison = Comparison(
        1e-6, "The state holds something that is not one row per hypothesis, batch first."
    )
    cell = subject.build()
    inputs = subject.inputs(4, 3)
    rows = torch.tensor([2, 2, 0, 3, 1])
    with torch.no_grad():
        _, state = cell.step(inputs[:, 0], subject.state(cell, 4))
        picked = tuple(tensor.index_select(0, rows) for tensor in state)
        for position in (1, 2):
            expected, state = cell.step(inputs[:, position], state)
            output, picked = cell.step(inputs[rows, position], picked)
            comparison.add("outputs", output, expected[rows])
            for number, (seen, wanted) in enumerate(zip(picked, state, strict=True)):
                comparison.add(f"state {number}", seen, wanted[rows])
    return str(comparison)
