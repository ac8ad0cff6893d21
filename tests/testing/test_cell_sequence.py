"""Each check over time and rows catches a cell that is broken in the way it looks for; the whole one passes all."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import CELL_CHECKS, CellSubject, ConformanceFailure, cell_sequence, check_cell


class Plain(Cell):
    """A whole cell by single steps (Elman 1990), for others to break."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = Linear(input_size, hidden_size)
        self.from_history = Linear(hidden_size, hidden_size)

    def step(self, inputs, state):
        hidden = torch.tanh(self.from_input(inputs) + self.from_history(state[0]))
        return hidden, (hidden,)


class StateIsList(Plain):
    def forward(self, inputs, state):
        outputs, new = super().forward(inputs, state)
        return outputs, list(new)


class StateIsWide(Plain):
    @property
    def state_sizes(self):
        return {"hidden": self.hidden_size, "count": 1}

    def forward(self, inputs, state):
        outputs = torch.tanh(self.from_input(inputs))
        return outputs, (outputs[:, -1],)


class OutputIsFloat32(Plain):
    def step(self, inputs, state):
        output, new = super().step(inputs, state)
        return output.float(), new


class StateIsPositive(Plain):
    def step(self, inputs, state):
        output, _ = super().step(inputs, (state[0].sqrt(),))
        return output, (output,)


class EmptyIsAccepted(Plain):
    def forward(self, inputs, state):
        return (
            (inputs.new_zeros(len(inputs), 0, self.hidden_size), state)
            if inputs.shape[1] == 0
            else super().forward(inputs, state)
        )


class EmptyCrashes(Plain):
    def forward(self, inputs, state):
        return inputs[:, 0] if inputs.shape[1] == 0 else super().forward(inputs, state)


class EmptyIsNamedBadly(Plain):
    def forward(self, inputs, state):
        if inputs.shape[1] == 0:
            raise ValueError("something is wrong")
        return super().forward(inputs, state)


class SequenceIsScaled(Plain):
    def forward(self, inputs, state):
        outputs, last = super().forward(inputs, state)
        return outputs * 1.001, last


class LooksAhead(Plain):
    def forward(self, inputs, state):
        return super().forward(inputs - inputs.mean(1, keepdim=True), state)


class LosesState(Plain):
    def forward(self, inputs, state):
        outputs, _ = super().forward(inputs, state)
        return outputs, state


class NormalisesOverRows(Plain):
    def step(self, inputs, state):
        return super().step(inputs - inputs.mean(0), state)


class UsesItsRowNumber(Plain):
    def step(self, inputs, state):
        places = torch.arange(len(inputs), dtype=inputs.dtype)[:, None]
        return super().step(inputs + places, state)


BROKEN = [
    (cell_sequence.sizes_and_dtypes, StateIsList, "state from forward is list, but state_sizes names 1"),
    (
        cell_sequence.sizes_and_dtypes,
        StateIsWide,
        "state from forward is a tuple of 1, but state_sizes names 2",
    ),
    (
        cell_sequence.sizes_and_dtypes,
        OutputIsFloat32,
        "output is torch.float32, but inputs and parameters are torch.float64",
    ),
    (cell_sequence.sizes_and_dtypes, StateIsPositive, "holds NaN or infinite values.*between -1 and 1"),
    (
        cell_sequence.empty_sequence_is_refused,
        EmptyIsAccepted,
        r"inputs of shape \(2, 0, 12\) are accepted.*check_sequence",
    ),
    (cell_sequence.empty_sequence_is_refused, EmptyCrashes, "raise IndexError, expected ValueError"),
    (
        cell_sequence.empty_sequence_is_refused,
        EmptyIsNamedBadly,
        r"does not name the shape \(2, 0, 12\): something is wrong",
    ),
    (
        cell_sequence.steps_equal_sequence,
        SequenceIsScaled,
        r"outputs: largest difference \d.*e-0\d, allowed 1e-05",
    ),
    (
        cell_sequence.later_inputs_change_nothing,
        LooksAhead,
        "outputs before position 1: largest difference.*looks ahead",
    ),
    (
        cell_sequence.cut_sequence_continues,
        LosesState,
        "outputs, cut at 1: .*missing from the returned state",
    ),
    (
        cell_sequence.row_alone_equals_row_in_batch,
        NormalisesOverRows,
        "forward, rows 0 to 0 of 19 alone: .*not one bit",
    ),
    (cell_sequence.beams_reorder, UsesItsRowNumber, "outputs: .*not one row per hypothesis"),
]


def test_a_broken_cell_is_caught(broken) -> None:
    check, part, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(part))


def test_every_check_has_a_cell_that_it_catches() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check for check in CELL_CHECKS if check.__module__ == cell_sequence.__name__
    }


def test_the_whole_cell_passes(bf16_outcome) -> None:
    outcomes = {result.name: result.outcome for result in check_cell(Plain)}
    for name in ("fused_kernel_equals_unroll", "recorded_gates_lie_in_their_range"):
        assert outcomes.pop(name) == "does not apply"
    assert outcomes.pop("bf16_is_near_float32") == bf16_outcome
    assert set(outcomes.values()) == {"passed"}
