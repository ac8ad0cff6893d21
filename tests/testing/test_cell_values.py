"""Each check of a cell as a part catches one that is broken in the way it looks for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.rnn import RNN
from nmt_lstm.testing import CELL_CHECKS, CellSubject, ConformanceFailure, DoesNotApply, cell_values


class PositionalOption(RNN):
    """Its option could not be set by a run file."""

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
    """What it draws stands neither in a parameter nor in a buffer."""

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


class KeepsOwnParameter(RNN):
    """Its own parameter is not drawn again."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.gain = nn.Parameter(torch.ones(hidden_size))

    def update(self, x, h, state):
        (hidden,) = super().update(x, h, state)
        return (hidden * self.gain,)


class ResetsToZero(KeepsOwnParameter):
    def reset_parameters(self):
        super().reset_parameters()
        if "gain" in self._parameters:
            nn.init.zeros_(self.gain)


class DrawsWiderAgain(RNN):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        nn.init.uniform_(self.weight_ih, -0.01, 0.01)


class BareState(RNN):
    """Returns its state as a tensor."""

    def step(self, inputs, state):
        output, (new,) = super().step(inputs, state)
        return output, new


class BranchesOnValue(RNN):
    """A step that a trace holds for one input only."""

    def step(self, inputs, state):
        if inputs.max() > 1e9:
            inputs = inputs.clamp(max=1e9)
        return super().step(inputs, state)


def inside_a_function() -> type[RNN]:
    class Inside(RNN):
        pass

    return Inside


BROKEN = [
    (
        cell_values.options_fit_a_run_file,
        PositionalOption,
        r"parameter 'bias: .* of the constructor is not keyword-only",
    ),
    (cell_values.options_fit_a_run_file, inside_a_function(), "defined inside a function.*top of a module"),
    (cell_values.first_call_works, BareState, "the state from step is a tensor.*tuple"),
    (cell_values.step_can_be_traced, BranchesOnValue, "cannot be traced: .*torch.where"),
    (cell_values.nothing_is_kept_between_calls, KeepsState, "a call changed the module's attribute 'last'"),
    (
        cell_values.nothing_is_kept_between_calls,
        CountsInBuffer,
        r"changed the module's attribute '_buffers\['steps'\]'",
    ),
    (cell_values.nothing_is_kept_between_calls, ChangesInPlace, "a call changed a tensor that it was given"),
    (
        cell_values.nothing_is_kept_between_calls,
        DropsWhenTranslating,
        "first call, called again: .*not one bit",
    ),
    (cell_values.parameters_are_drawn_again, KeepsOwnParameter, "leaves gain as it was. Override"),
    (cell_values.parameters_are_drawn_again, ResetsToZero, "'gain' has other values"),
    (cell_values.parameters_are_drawn_again, DrawsWiderAgain, "'weight_ih' has .* times the spread"),
    (cell_values.copies_compute_the_same, HiddenConstant, "result 0 of the state dict: .*not one bit"),
    (cell_values.copies_compute_the_same, KeepsLambda, "cannot be pickled: .*keep no lambda on self"),
    (cell_values.copies_compute_the_same, NamesChange, "the state dict cannot be loaded: .*Missing key"),
    (
        cell_values.wirings_train_what_they_search,
        StepIsScaled,
        "gnmt, scores at 0: .*checks of smaller things",
    ),
    (
        cell_values.model_folder_keeps_it,
        HiddenConstant,
        "the loss of the model that was read: .*in parameters, buffers",
    ),
]


def test_a_broken_cell_is_caught(broken) -> None:
    check, part, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(part))


def test_parameters_of_modules_inside_are_drawn_again_without_a_method() -> None:
    class Inside(Cell):
        def __init__(self, input_size: int, hidden_size: int) -> None:
            super().__init__(input_size, hidden_size)
            self.layers = nn.Sequential(nn.Linear(input_size, hidden_size), nn.LayerNorm(hidden_size))

    assert cell_values.parameters_are_drawn_again(CellSubject(Inside)) == "4 parameters"


def test_a_cell_without_parameters_has_none_to_draw() -> None:
    with pytest.raises(DoesNotApply):
        cell_values.parameters_are_drawn_again(CellSubject(Cell))


def test_every_check_has_a_cell_that_it_catches() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check for check in CELL_CHECKS if check.__module__ == cell_values.__name__
    }
