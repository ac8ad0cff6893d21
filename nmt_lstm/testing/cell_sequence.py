"""Checks of a cell over time and rows, on which the encoder, the decoder and search rely."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, check_shape
from nmt_lstm.testing.subject import CellSubject

__all__ = [
    "beams_reorder",
    "cut_sequence_continues",
    "empty_sequence_is_refused",
    "later_inputs_change_nothing",
    "row_alone_equals_row_in_batch",
    "run_steps",
    "sizes_and_dtypes",
    "steps_equal_sequence",
]


def run_steps(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Return outputs (B, T, output_size) and the last state, computed by single steps on inputs (B, T, input_size)."""
    outputs = []
    for position in inputs.unbind(1):
        output, state = cell.step(position, state)
        outputs.append(output)
    return torch.stack(outputs, 1), state


def sizes_and_dtypes(subject: CellSubject) -> str:
    """Outputs and states have the declared widths, batch first, and the dtype of the inputs, also for one row or position."""
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
        _check_tensor("forward's output", outputs, (batch, length, cell.output_size), dtype)
        _check_state("forward", last, batch, widths, dtype)
        output, after = cell.step(inputs[:, 0], start)
        _check_tensor("step's output", output, (batch, cell.output_size), dtype)
        _check_state("step", after, batch, widths, dtype)


def _check_tensor(label: str, tensor: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    check_shape(
        label, tensor, shape, "Shapes are (batch, time, output_size), and (batch, output_size) for a step."
    )
    if tensor.dtype != dtype:
        raise ConformanceFailure(
            f"{label} is {tensor.dtype}, but inputs and parameters are {dtype}",
            "Create tensors with the dtype of the inputs: inputs.new_zeros(...), tensor.to(inputs.dtype).",
        )
    if not bool(torch.isfinite(tensor).all()):
        raise ConformanceFailure(
            f"{label} contains NaN or infinite values",
            "Look for a logarithm, a square root or a division. The bridge from the encoder "
            "sets the first state to any value between -1 and 1.",
        )


def _check_state(method: str, state: object, batch: int, widths: tuple[int, ...], dtype: torch.dtype) -> None:
    if not isinstance(state, tuple) or len(state) != len(widths):
        actual = f"a tuple of {len(state)}" if isinstance(state, tuple) else type(state).__name__
        raise ConformanceFailure(
            f"the state from {method} is {actual}, but state_sizes names {len(widths)} tensors",
            "A state is always a tuple of tensors, in the order of state_sizes.",
        )
    for number, (tensor, width) in enumerate(zip(state, widths, strict=True)):
        _check_tensor(f"state {number} from {method}", tensor, (batch, width), dtype)


def steps_equal_sequence(subject: CellSubject) -> str:
    """A sequence has the same results as its single steps: training uses the former, search the latter."""
    comparison = Comparison(
        1e-5, "forward and step compute different results, so search would not use the trained function."
    )
    for sized in (subject, subject.with_equal_widths()):
        for dtype in (torch.float32, torch.float64):
            cell = sized.build(dtype)
            inputs = sized.inputs(dtype=dtype)
            for start in (cell.initial_state(3), sized.state(cell, dtype=dtype)):
                with torch.no_grad():
                    outputs, last = cell(inputs, start)
                    expected, expected_last = run_steps(cell, inputs, start)
                comparison.add("outputs", outputs, expected)
                for number, (actual, result) in enumerate(zip(last, expected_last, strict=True)):
                    comparison.add(f"last state {number}", actual, result)
    return str(comparison)


def later_inputs_change_nothing(subject: CellSubject) -> str:
    """Outputs do not depend on later inputs, because padding follows the last token."""
    comparison = Comparison(1e-6, "The cell looks ahead, or mixes positions like a normalization over time.")
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
    """A sequence that is split in two and continued from the state has the same results as the whole sequence."""
    comparison = Comparison(
        1e-5, "The returned state does not contain everything that the next position needs."
    )
    cell = subject.build()
    inputs = subject.inputs(length=6)
    start = subject.state(cell)
    with torch.no_grad():
        expected, expected_last = cell(inputs, start)
        for position in (1, 3, 5):
            before, state = cell(inputs[:, :position], start)
            after, last = cell(inputs[:, position:], state)
            comparison.add(f"outputs, split at {position}", torch.cat([before, after], 1), expected)
            for number, (actual, result) in enumerate(zip(last, expected_last, strict=True)):
                comparison.add(f"last state {number}, split at {position}", actual, result)
    return str(comparison)


def row_alone_equals_row_in_batch(subject: CellSubject) -> str:
    """Without gradients, the result of a row is the same in any batch to the last bit: translations depend on no other line."""
    comparison = Comparison(
        0.0,
        "Use nmt_lstm.linear or nmt_lstm.Linear for products and nmt_lstm.sigmoid for the logistic function (torch.sigmoid "
        "in GatedCell.update), and compute no statistics over the batch.",
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
                label = f"rows {first} to {min(rows, first + size) - 1} of {rows} alone"
                part_state = tuple(tensor[part] for tensor in state)
                outputs, last = cell(inputs[part], part_state)
                output, after = cell.step(inputs[part, 0], part_state)
                comparison.add(f"forward, {label}", outputs, expected[part])
                comparison.add(f"step, {label}", output, expected_step[part])
                for actual, result in zip((*last, *after), (*expected_last, *expected_after), strict=True):
                    comparison.add(f"state, {label}", actual, result[part])
    return str(comparison)


def empty_sequence_is_refused(subject: CellSubject) -> str:
    """An empty sequence raises a ValueError with its shape."""
    cell = subject.build()
    inputs = subject.inputs(2, 0)
    hint = "Call nmt_lstm.check_sequence(self, inputs) at the beginning of forward."
    shape = str(tuple(inputs.shape))
    try:
        cell(inputs, cell.initial_state(2))
    except ValueError as problem:
        if shape not in str(problem):
            raise ConformanceFailure(
                f"the ValueError does not contain the shape {shape}: {problem}", hint
            ) from problem
        return f"ValueError with {shape}"
    except Exception as problem:
        raise ConformanceFailure(
            f"inputs of shape {shape} raise {type(problem).__name__}, expected ValueError: {problem}", hint
        ) from problem
    raise ConformanceFailure(f"inputs of shape {shape} are accepted", hint)


def beams_reorder(subject: CellSubject) -> str:
    """States selected by row continue like those rows: beam search reorders, repeats and drops them."""
    comparison = Comparison(
        1e-6, "The state contains a tensor that does not have one row per hypothesis, batch first."
    )
    cell = subject.build()
    inputs = subject.inputs(4, 3)
    rows = torch.tensor([2, 2, 0, 3, 1])
    with torch.no_grad():
        _, state = cell.step(inputs[:, 0], subject.state(cell, 4))
        selected = tuple(tensor.index_select(0, rows) for tensor in state)
        for position in (1, 2):
            expected, state = cell.step(inputs[:, position], state)
            output, selected = cell.step(inputs[rows, position], selected)
            comparison.add("outputs", output, expected[rows])
            for number, (actual, result) in enumerate(zip(selected, state, strict=True)):
                comparison.add(f"state {number}", actual, result[rows])
    return str(comparison)
