"""Each check of a cell as a class and a module detects the kind of broken cell that it is for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.rnn import RNN
from nmt_lstm.testing import (
    CELL_CHECKS,
    CellSubject,
    ConformanceFailure,
    DoesNotApply,
    cell_values,
    module_values,
    whole_model,
)


class PositionalOption(RNN):
    """Has an option that a run file cannot set."""

    def __init__(self, input_size: int, hidden_size: int, bias: float = 0.0) -> None:
        super().__init__(input_size, hidden_size)


class KeepsState(RNN):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.last = None

    def step(self, inputs, state):
        output, new = super().step(inputs, state)
        self.last = output
        return output, new


class CountsInBuffer(RNN):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.register_buffer("steps", torch.zeros(()))

    def step(self, inputs, state):
        self.steps += 1
        return super().step(inputs, state)


class ChangesInPlace(RNN):
    def step(self, inputs, state):
        output, _ = super().step(inputs, state)
        state[0].copy_(output.detach())
        return output, (output,)


class DropsWhenTranslating(RNN):
    def step(self, inputs, state):
        return super().step(nn.functional.dropout(inputs, 0.5), state)


class HiddenConstant(RNN):
    """Has a random tensor that is neither a parameter nor a buffer."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.mask = torch.rand(hidden_size)

    def update(self, x, h, state):
        (hidden,) = super().update(x, h, state)
        return (hidden * self.mask,)


class StepIsScaled(RNN):
    def step(self, inputs, state):
        output, new = super().step(inputs, state)
        return output * 1.001, new


class KeepsLambda(RNN):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.squash = lambda values: values


class NamesChange(RNN):
    count = 0

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        NamesChange.count += 1
        self.register_parameter(f"bias{NamesChange.count}", nn.Parameter(torch.zeros(1)))


class ParameterIsNotReset(RNN):
    """Does not reset its own parameter."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.gain = nn.Parameter(torch.ones(hidden_size))

    def update(self, x, h, state):
        (hidden,) = super().update(x, h, state)
        return (hidden * self.gain,)


class ResetsToZero(ParameterIsNotReset):
    def reset_parameters(self):
        super().reset_parameters()
        if "gain" in self._parameters:
            nn.init.zeros_(self.gain)


class ResetsWithWiderRange(RNN):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        nn.init.uniform_(self.weight_ih, -0.01, 0.01)


class BareState(RNN):
    """Returns its state as a tensor."""

    def step(self, inputs, state):
        output, (new,) = super().step(inputs, state)
        return output, new


class BranchesOnValue(RNN):
    """Has a step whose trace is valid for one input only."""

    def step(self, inputs, state):
        if inputs.max() > 1e9:
            inputs = inputs.clamp(max=1e9)
        return super().step(inputs, state)


class UnusedGate(GatedCell):
    gates = ("spare", "candidate")

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)


class ChangedInPlace(GatedCell):
    gates = ("forget", "candidate")

    def update(self, x, h, state):
        forget = torch.sigmoid(x.forget + h.forget)
        forget.mul_(3)
        return (forget * torch.tanh(x.candidate + h.candidate),)


class DependsOnGradients(GatedCell):
    gates = ("candidate",)

    def update(self, x, h, state):
        candidate = torch.tanh(x.candidate + h.candidate)
        return (candidate / 2 if torch.is_grad_enabled() else candidate,)


def inside_a_function() -> type[RNN]:
    class Inside(RNN):
        pass

    return Inside


BROKEN = [
    (cell_values.recorded_gates_lie_in_their_range, UnusedGate, "unused gates: spare"),
    (
        cell_values.recorded_gates_lie_in_their_range,
        ChangedInPlace,
        r"'forget': .* outside 0 to 1",
    ),
    (
        cell_values.recorded_gates_lie_in_their_range,
        DependsOnGradients,
        "outputs while recording: .*allowed 1e-05",
    ),
    (
        module_values.options_fit_a_run_file,
        PositionalOption,
        "not keyword-only",
    ),
    (module_values.options_fit_a_run_file, inside_a_function(), "inside a function"),
    (cell_values.first_call_works, BareState, "the state from step is a tensor.*tuple"),
    (cell_values.step_can_be_traced, BranchesOnValue, "cannot be traced"),
    (module_values.nothing_is_kept_between_calls, KeepsState, "attribute 'last'"),
    (
        module_values.nothing_is_kept_between_calls,
        CountsInBuffer,
        r"'_buffers\['steps'\]'",
    ),
    (module_values.nothing_is_kept_between_calls, ChangesInPlace, "changed one of its arguments"),
    (
        module_values.nothing_is_kept_between_calls,
        DropsWhenTranslating,
        "first call, repeated",
    ),
    (module_values.parameters_are_drawn_again, ParameterIsNotReset, "does not reset gain"),
    (module_values.parameters_are_drawn_again, ResetsToZero, "'gain' has different values"),
    (module_values.parameters_are_drawn_again, ResetsWithWiderRange, "'weight_ih' has .* standard deviation"),
    (module_values.copies_compute_the_same, HiddenConstant, "result 0 of the state dict"),
    (module_values.copies_compute_the_same, KeepsLambda, "cannot be pickled.*lambda"),
    (module_values.copies_compute_the_same, NamesChange, "state dict cannot be loaded"),
    (
        whole_model.wirings_train_what_they_search,
        StepIsScaled,
        "gnmt, scores at 0",
    ),
    (
        whole_model.model_folder_keeps_it,
        HiddenConstant,
        "loss of the model read back",
    ),
]


def test_a_broken_cell_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(broken_class))


def test_parameters_of_submodules_are_reset_without_a_method() -> None:
    class Inside(Cell):
        def __init__(self, input_size: int, hidden_size: int) -> None:
            super().__init__(input_size, hidden_size)
            self.layers = nn.Sequential(nn.Linear(input_size, hidden_size), nn.LayerNorm(hidden_size))

    assert module_values.parameters_are_drawn_again(CellSubject(Inside)) == "4 parameters"


def test_a_cell_without_parameters_has_none_to_reset() -> None:
    with pytest.raises(DoesNotApply):
        module_values.parameters_are_drawn_again(CellSubject(Cell))


def test_every_check_detects_a_broken_cell() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check
        for check in CELL_CHECKS
        if check.__module__ in {module.__name__ for module in (cell_values, module_values, whole_model)}
    }
