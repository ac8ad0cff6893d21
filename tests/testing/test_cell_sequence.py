"""Each check over time and rows detects the kind of broken cell that it is for; a correct cell passes all."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import CELL_CHECKS, CellSubject, ConformanceFailure, cell_sequence, check_cell


class ElmanCell(Cell):
    """A correct cell (Elman 1990), from which the broken ones are derived."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = Linear(input_size, hidden_size)
        self.from_state = Linear(hidden_size, hidden_size)

    def step(self, inputs, state):
        hidden = torch.tanh(self.from_input(inputs) + self.from_state(state[0]))
        return hidden, (hidden,)


class StateIsList(ElmanCell):
    def forward(self, inputs, state):
        outputs, new = super().forward(inputs, state)
        return outputs, list(new)


class StateIsWide(ElmanCell):
    @property
    def state_sizes(self):
        return {"hidden": self.hidden_size, "count": 1}

    def forward(self, inputs, state):
        outputs = torch.tanh(self.from_input(inputs))
        return outputs, (outputs[:, -1],)


class OutputIsFloat32(ElmanCell):
    def step(self, inputs, state):
        output, new = super().step(inputs, state)
        return output.float(), new


class StateIsPositive(ElmanCell):
    def step(self, inputs, state):
        output, _ = super().step(inputs, (state[0].sqrt(),))
        return output, (output,)


class EmptyIsAccepted(ElmanCell):
    def forward(self, inputs, state):
        return (
            (inputs.new_zeros(len(inputs), 0, self.hidden_size), state)
            if inputs.shape[1] == 0
            else super().forward(inputs, state)
        )


class EmptyCrashes(ElmanCell):
    def forward(self, inputs, state):
        return inputs[:, 0] if inputs.shape[1] == 0 else super().forward(inputs, state)


class EmptyHasNoShape(ElmanCell):
    def forward(self, inputs, state):
        if inputs.shape[1] == 0:
            raise ValueError("something is wrong")
        return super().forward(inputs, state)


class SequenceIsScaled(ElmanCell):
    def forward(self, inputs, state):
        outputs, last = super().forward(inputs, state)
        return outputs * 1.001, last


class LooksAhead(ElmanCell):
    def forward(self, inputs, state):
        return super().forward(inputs - inputs.mean(1, keepdim=True), state)


class LosesState(ElmanCell):
    def forward(self, inputs, state):
        outputs, _ = super().forward(inputs, state)
        return outputs, state


class NormalizesOverRows(ElmanCell):
    def step(self, inputs, state):
        return super().step(inputs - inputs.mean(0), state)


class UsesRowIndex(ElmanCell):
    def step(self, inputs, state):
        indices = torch.arange(len(inputs), dtype=inputs.dtype)[:, None]
        return super().step(inputs + indices, state)


BROKEN = [
    (cell_sequence.sizes_and_dtypes, StateIsList, "state from forward is list"),
    (
        cell_sequence.sizes_and_dtypes,
        StateIsWide,
        "tuple of 1, .* 2",
    ),
    (
        cell_sequence.sizes_and_dtypes,
        OutputIsFloat32,
        "output is torch.float32",
    ),
    (cell_sequence.sizes_and_dtypes, StateIsPositive, "contains NaN.*between -1 and 1"),
    (
        cell_sequence.empty_sequence_is_refused,
        EmptyIsAccepted,
        r"\(2, 0, 12\) are accepted",
    ),
    (cell_sequence.empty_sequence_is_refused, EmptyCrashes, "raise IndexError, expected ValueError"),
    (
        cell_sequence.empty_sequence_is_refused,
        EmptyHasNoShape,
        r"does not contain the shape \(2, 0, 12\)",
    ),
    (
        cell_sequence.steps_equal_sequence,
        SequenceIsScaled,
        r"outputs: .*e-0\d, allowed 1e-05",
    ),
    (
        cell_sequence.later_inputs_change_nothing,
        LooksAhead,
        "outputs before position 1.*looks ahead",
    ),
    (
        cell_sequence.cut_sequence_continues,
        LosesState,
        "outputs, split at 1",
    ),
    (
        cell_sequence.row_alone_equals_row_in_batch,
        NormalizesOverRows,
        "forward, rows 0 to 0 of 19 alone",
    ),
    (cell_sequence.beams_reorder, UsesRowIndex, "outputs: .*one row per hypothesis"),
]


def test_a_broken_cell_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(broken_class))


def test_every_check_detects_a_broken_cell() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check for check in CELL_CHECKS if check.__module__ == cell_sequence.__name__
    }


def test_a_correct_cell_passes(bf16_outcome) -> None:
    outcomes = {result.name: result.outcome for result in check_cell(ElmanCell)}
    for name in ("fused_kernel_equals_unroll", "recorded_gates_lie_in_their_range"):
        assert outcomes.pop(name) == "does not apply"
    assert outcomes.pop("bf16_is_near_float32") == bf16_outcome
    assert set(outcomes.values()) == {"passed"}
