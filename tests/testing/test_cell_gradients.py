"""Each check of gradients and bf16 detects the kind of broken cell that it is for."""

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


class ElmanGatedCell(GatedCell):
    """A correct gated cell (Elman 1990), from which the broken ones are derived."""

    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)


class UnusedParameter(ElmanGatedCell):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.forgotten = nn.Parameter(torch.ones(hidden_size))


class DetachesState(ElmanGatedCell):
    def forward(self, inputs, state):
        return super().forward(inputs, tuple(part.detach() for part in state))


class InfiniteGradient(ElmanGatedCell):
    def update(self, x, h, state):
        (hidden,) = super().update(x, h, state)
        return (hidden + 1e-3 * (h.candidate - h.candidate.detach()).abs().sqrt(),)


class WrongDerivative(torch.autograd.Function):
    """tanh with a derivative that is 10 % too large."""

    @staticmethod
    def forward(ctx, inputs):
        result = torch.tanh(inputs)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, gradient):
        (result,) = ctx.saved_tensors
        return 1.1 * gradient * (1 - result * result)


class WrongGradient(ElmanGatedCell):
    def update(self, x, h, state):
        return (WrongDerivative.apply(x.candidate + h.candidate),)


class RoundsToFloat32(ElmanGatedCell):
    def update(self, x, h, state):
        return (torch.tanh((x.candidate + h.candidate).float()).to(state[0].dtype),)


class SequenceTruncatesGradient(ElmanGatedCell):
    def forward(self, inputs, state):
        before, middle = super().forward(inputs[:, :2], state)
        after, last = super().forward(inputs[:, 2:], tuple(part.detach() for part in middle))
        return torch.cat([before, after], 1), last


class DifferentKernel(LSTM):
    def forward(self, inputs, state):
        check_sequence(self, inputs)
        return self.unroll(inputs, (state[0], 1.001 * state[1]))


class StepCell(Cell):
    """A cell that gets bf16 from its products under autocast."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.pre = Linear(input_size + hidden_size, hidden_size)

    def step(self, inputs, state):
        hidden = self.squash(self.pre(torch.cat([inputs, state[0].to(inputs.dtype)], -1)))
        return hidden, (hidden,)


class LosesDigits(StepCell):
    def squash(self, total):
        return torch.tanh((total + 300) - 300)


class GradientLosesDigits(StepCell):
    def squash(self, total):
        hidden = torch.tanh(total)
        return (2 * hidden).detach() - hidden if total.dtype == torch.bfloat16 else hidden


class OverflowsInBf16(StepCell):
    def squash(self, total):
        return torch.tanh(total) / (total.dtype != torch.bfloat16)


BROKEN = [
    (
        cell_gradients.gradients_reach_every_parameter,
        UnusedParameter,
        "no gradient reaches forgotten",
    ),
    (cell_gradients.gradients_reach_every_parameter, DetachesState, "no gradient reaches the first state"),
    (cell_gradients.gradients_reach_every_parameter, InfiniteGradient, "gradient of .* is NaN or infinite"),
    (cell_gradients.gradients_are_right, WrongGradient, "gradcheck"),
    (cell_gradients.gradients_are_right, RoundsToFloat32, r"gradcheck.*float\(\)"),
    (
        cell_gradients.sequence_gradients_equal_step_gradients,
        SequenceTruncatesGradient,
        "does not match its forward",
    ),
    (
        cell_gradients.fused_kernel_equals_unroll,
        DifferentKernel,
        "forward and update",
    ),
    (
        cell_gradients.bf16_is_near_float32,
        LosesDigits,
        "result 0 in bf16: .*allowed 6e-02",
    ),
    (
        cell_gradients.bf16_is_near_float32,
        GradientLosesDigits,
        "gradients in bf16.*allowed 0.2",
    ),
    (
        cell_gradients.bf16_is_near_float32,
        OverflowsInBf16,
        "result 0 in bf16: .*NaN",
    ),
]


def test_a_broken_cell_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(broken_class))


def test_every_check_detects_a_broken_cell() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check for check in CELL_CHECKS if check.__module__ == cell_gradients.__name__
    }


def test_a_correct_cell_passes(bf16_outcome) -> None:
    outcomes = {result.name: result.outcome for result in check_cell(ElmanGatedCell)}
    assert outcomes.pop("fused_kernel_equals_unroll") == "does not apply"
    assert outcomes.pop("bf16_is_near_float32") == bf16_outcome
    assert set(outcomes.values()) == {"passed"}


def test_the_check_of_kernels_does_not_apply_without_one() -> None:
    with pytest.raises(DoesNotApply, match="not overridden"):
        cell_gradients.fused_kernel_equals_unroll(CellSubject(ElmanGatedCell))
