"""Checks of a cell as a part: its options, nothing kept between calls, copied, in a model, saved and loaded."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.inference.onnx.exporter import BATCH
from nmt_lstm.registry import CELLS
from nmt_lstm.testing.first_call import check_stepped
from nmt_lstm.testing.fresh_parameters import check_drawn_again
from nmt_lstm.testing.module_values import check_copies, check_nothing_kept, check_options
from nmt_lstm.testing.subject import CellSubject
from nmt_lstm.testing.tracing import check_traced
from nmt_lstm.testing.whole_model import check_model_folder, check_wirings

__all__ = [
    "copies_compute_the_same",
    "first_call_works",
    "model_folder_keeps_it",
    "nothing_is_kept_between_calls",
    "options_fit_a_run_file",
    "parameters_are_drawn_again",
    "step_can_be_traced",
    "wirings_train_what_they_search",
]


def options_fit_a_run_file(subject: CellSubject) -> str:
    """Options are keyword-only, with a type and a default, and the class can be imported by its name."""
    return check_options(CELLS, subject.name, subject.options)


def first_call_works(subject: CellSubject) -> str:
    """The cell is built, and takes a sequence and a step of it: each returns an output and a tuple of state tensors."""
    cell = subject.build().train()
    state = cell.initial_state(2)
    inputs = subject.inputs(2, 3)
    check_stepped("forward", cell(inputs, state))
    cell.eval()
    with torch.no_grad():
        check_stepped("step", cell.step(inputs[:, 0], state))
    return f"{sum(parameter.numel() for parameter in cell.parameters()):,} parameters"


def step_can_be_traced(subject: CellSubject) -> str:
    """A step is traced for any number of rows, with no branch on a value: the export to ONNX needs it."""
    cell = subject.build()
    state = subject.state(cell)

    def call(inputs: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        output, after = cell.step(inputs, state)
        return output, *after

    given = [subject.inputs()[:, 0], *state]
    return check_traced(cell, call, given, [{0: BATCH} for _ in given])


def _sequence_and_step(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    assert isinstance(module, Cell)
    inputs, *state = given
    with torch.no_grad():
        outputs, last = module(inputs, tuple(state))
        output, after = module.step(inputs[:, 0], tuple(state))
    return (outputs, *last, output, *after)


def nothing_is_kept_between_calls(subject: CellSubject) -> str:
    """A call changes neither the module nor the tensors it is given, and its result depends on no other call."""
    cell = subject.build()
    calls = [
        (subject.inputs(rows, length, seed=rows), *subject.state(cell, rows, seed=length))
        for rows, length in ((3, 5), (2, 4), (3, 5))
    ]
    return check_nothing_kept(cell, _sequence_and_step, calls)


def parameters_are_drawn_again(subject: CellSubject) -> str:
    """`reset_parameters` draws every parameter again, in the range in which the constructor draws it."""
    return check_drawn_again(subject.build_fresh)


def copies_compute_the_same(subject: CellSubject) -> str:
    """The state dict loaded into a new cell, the deep copy and the pickle compute the same bits."""
    return check_copies(
        lambda seed: subject.build(seed=seed),
        lambda module: _sequence_and_step(
            module, (subject.inputs(), *(subject.state(module) if isinstance(module, Cell) else ()))
        ),
    )


def wirings_train_what_they_search(subject: CellSubject) -> str:
    """In a model of each decoder wiring, a whole target gives what the steps of a search give."""
    return check_wirings(_settings(subject))


def model_folder_keeps_it(subject: CellSubject) -> str:
    """A model of two layers of the cell, in both directions, comes back from its folder with the same bits."""
    return check_model_folder(subject.name, _settings(subject))


def _settings(subject: CellSubject) -> ModelSettings:
    width, options = subject.hidden_size, dict(subject.options)
    return ModelSettings(
        embedding_size=subject.input_size,
        encoder=EncoderSettings(cell=subject.name, cell_options=options, layers=2, hidden_size=width),
        decoder=DecoderSettings(cell=subject.name, cell_options=options, layers=2, hidden_size=width),
    )
