"""Each check of gradients and bf16 catches a cell that is broken in the way it looks for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell, check_sequence
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import (
    CELL_CHECKS,
    CellSubject,
    ConformanceFailure,
    DoesNotApply,
    cell_gradients,
    check_cell,
)


class Plain(GatedCell):
    """A whole gated cell without a kernel (Elman 1990), for others to break."""

    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)


class UnusedParameter(Plain):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.forgotten = nn.Parameter(torch.ones(hidden_size))


class CutsHistory(Plain):
    def forward(self, inputs, state):
        return super().forward(inputs, tuple(part.detach() for part in state))


class EndlessSlope(Plain):
    def update(self, x, h, state):
        (hidden,) = super().update(x, h, state)
        return (hidden + 1e-3 * (h.candidate - h.candidate.detach()).abs().sqrt(),)


class WrongSlope(torch.autograd.Function):
    """tanh whose derivative is off by a tenth."""

    @staticmethod
    def forward(ctx, inputs):
        result = torch.tanh(inputs)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, gradient):
        (result,) = ctx.saved_tensors
        return 1.1 * gradient * (1 - result * result)


class WrongGradient(Plain):
    def update(self, x, h, state):
        return (WrongSlope.apply(x.candidate + h.candidate),)


class RoundsOnTheWay(Plain):
    def update(self, x, h, state):
        return (torch.tanh((x.candidate + h.candidate).float()).to(state[0].dtype),)


class SequenceTruncatesGradient(Plain):
    def forward(self, inputs, state):
        before, middle = super().forward(inputs[:, :2], state)
        after, last = super().forward(inputs[:, 2:], tuple(part.detach() for part in middle))
        return torch.cat([before, after], 1), last


class OtherKernel(LSTM):
    def forward(self, inputs, state):
        check_sequence(self, inputs)
        return self.unroll(inputs, (state[0], 1.001 * state[1]))


class BySteps(Cell):
    """A cell of its own steps, to which bf16 comes as the products leave it."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.pre = Linear(input_size + hidden_size, hidden_size)

    def step(self, inputs, state):
        hidden = self.squash(self.pre(torch.cat([inputs, state[0].to(inputs.dtype)], -1)))
        return hidden, (hidden,)


class LosesDigits(BySteps):
    def squash(self, total):
        return torch.tanh((total + 300) - 300)


class GradientLosesDigits(BySteps):
    def squash(self, total):
        hidden = torch.tanh(total)
        return (2 * hidden).detach() - hidden if total.dtype == torch.bfloat16 else hidden


class OverflowsInBf16(BySteps):
    def squash(self, total):
        return torch.tanh(total) / (total.dtype != torch.bfloat16)


BROKEN = [
    (
        cell_gradients.gradients_reach_every_parameter,
        UnusedParameter,
        "no gradient reaches forgotten: its largest value is 0.0e",
    ),
    (cell_gradients.gradients_reach_every_parameter, CutsHistory, "no gradient reaches the first state"),
    (cell_gradients.gradients_reach_every_parameter, EndlessSlope, "gradient of .* is NaN or infinite"),
    (cell_gradients.gradients_are_right, WrongGradient, "gradcheck: Jacobian mismatch"),
    (cell_gradients.gradients_are_right, RoundsOnTheWay, r"gradcheck: .*a float\(\) or a float32 constant"),
    (
        cell_gradients.sequence_gradients_equal_step_gradients,
        SequenceTruncatesGradient,
        "gradient: .*does not belong to its forward",
    ),
    (
        cell_gradients.fused_kernel_equals_unroll,
        OtherKernel,
        "outputs: .*forward and update compute different things",
    ),
    (
        cell_gradients.bf16_is_near_float32,
        LosesDigits,
        "result 0 in bf16: largest difference .*, allowed 6e-02",
    ),
    (
        cell_gradients.bf16_is_near_float32,
        GradientLosesDigits,
        r"gradients in bf16 are .* of their length away .*, allowed 0.2",
    ),
    (
        cell_gradients.bf16_is_near_float32,
        OverflowsInBf16,
        r"result 0 in bf16: \d+ of \d+ values are NaN or infinite",
    ),
]


def test_a_broken_cell_is_caught(broken) -> None:
    check, part, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(part))


def test_every_check_has_a_cell_that_it_catches() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check for check in CELL_CHECKS if check.__module__ == cell_gradients.__name__
    }


def test_the_whole_cell_passes(bf16_outcome) -> None:
    outcomes = {result.name: result.outcome for result in check_cell(Plain)}
    assert outcomes.pop("fused_kernel_equals_unroll") == "does not apply"
    assert outcomes.pop("bf16_is_near_float32") == bf16_outcome
    assert set(outcomes.values()) == {"passed"}


def test_the_kernel_check_says_when_there_is_none() -> None:
    with pytest.raises(DoesNotApply, match="no kernel of its own"):
        cell_gradients.fused_kernel_equals_unroll(CellSubject(Plain))
