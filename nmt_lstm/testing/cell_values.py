"""Checks of a cell as a class and a module: options, gates, state between calls, copies, and use in a model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gate_record import GATE_FUNCTIONS, record_gates
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.inference.onnx.exporter import BATCH
from nmt_lstm.registry import CELLS
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, DoesNotApply
from nmt_lstm.testing.module_values import check_copies, check_options, check_reset, check_stateless
from nmt_lstm.testing.return_values import check_output_and_state
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
    "recorded_gates_lie_in_their_range",
    "step_can_be_traced",
    "wirings_train_what_they_search",
]


def options_fit_a_run_file(subject: CellSubject) -> str:
    """Options are keyword-only, with a type and a default, and the class can be imported by its name."""
    return check_options(CELLS, subject.name, subject.options)


def first_call_works(subject: CellSubject) -> str:
    """The cell can be built and called with a sequence and a step; both return an output and a tuple of state tensors."""
    cell = subject.build().train()
    state = cell.initial_state(2)
    inputs = subject.inputs(2, 3)
    check_output_and_state("forward", cell(inputs, state))
    cell.eval()
    with torch.no_grad():
        check_output_and_state("step", cell.step(inputs[:, 0], state))
    return f"{sum(parameter.numel() for parameter in cell.parameters()):,} parameters"


def recorded_gates_lie_in_their_range(subject: CellSubject) -> str:
    """Each named gate is used, its recorded values are in the range of its function, and recording changes no output."""
    cell = subject.build()
    if not isinstance(cell, GatedCell | StepwiseCell):
        raise DoesNotApply("the cell names no gates")
    inputs, state = subject.inputs(), subject.state(cell)
    record = record_gates(cell, inputs, state)
    if record.unread:
        raise ConformanceFailure(
            f"unused gates: {', '.join(record.unread)}",
            "A named gate has weights. Use it, or remove it from `gates`.",
        )
    for name, values in record.gates.items():
        low, high = GATE_FUNCTIONS.get(record.functions[name], (float("-inf"), float("inf")))
        outside = int((~torch.isfinite(values) | (values < low) | (values > high)).sum())
        if outside:
            raise ConformanceFailure(
                f"gate '{name}': {outside} of {values.numel()} values are outside {low:g} to {high:g}",
                "Is the gate changed in place after its function, for example by mul_?",
            )
    with torch.no_grad():
        outputs, _ = cell(inputs, state)
    comparison = Comparison(
        1e-5, "The update must not depend on its caller, nor on whether gradients are enabled."
    )
    comparison.add("outputs while recording", record.outputs, outputs)
    described = (f"{name} {record.functions[name] or 'without function'}" for name in record.gates)
    return ", ".join(described)


def step_can_be_traced(subject: CellSubject) -> str:
    """A step can be traced for any number of rows, without a branch on a value, as the export to ONNX requires."""
    cell = subject.build()
    state = subject.state(cell)

    def call(inputs: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        output, after = cell.step(inputs, state)
        return output, *after

    examples = [subject.inputs()[:, 0], *state]
    return check_traced(cell, call, examples, [{0: BATCH} for _ in examples])


def _sequence_and_step(module: nn.Module, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    assert isinstance(module, Cell)
    inputs, *state = tensors
    with torch.no_grad():
        outputs, last = module(inputs, tuple(state))
        output, after = module.step(inputs[:, 0], tuple(state))
    return (outputs, *last, output, *after)


def nothing_is_kept_between_calls(subject: CellSubject) -> str:
    """A call changes neither the module nor its arguments, and its result does not depend on other calls."""
    cell = subject.build()
    calls = [
        (subject.inputs(rows, length, seed=rows), *subject.state(cell, rows, seed=length))
        for rows, length in ((3, 5), (2, 4), (3, 5))
    ]
    return check_stateless(cell, _sequence_and_step, calls)


def parameters_are_drawn_again(subject: CellSubject) -> str:
    """`reset_parameters` initializes every parameter in the same way as the constructor."""
    return check_reset(subject.build_fresh)


def copies_compute_the_same(subject: CellSubject) -> str:
    """Copies of the cell, by state dict, deepcopy and pickle, return the same results to the last bit."""
    return check_copies(
        lambda seed: subject.build(seed=seed),
        lambda module: _sequence_and_step(
            module, (subject.inputs(), *(subject.state(module) if isinstance(module, Cell) else ()))
        ),
    )


def wirings_train_what_they_search(subject: CellSubject) -> str:
    """In a model with each decoder wiring, training and the steps of search compute the same scores."""
    return check_wirings(_settings(subject))


def model_folder_keeps_it(subject: CellSubject) -> str:
    """A bidirectional model with two layers of the cell is read back from its folder with the same results to the last bit."""
    return check_model_folder(subject.name, _settings(subject))


def _settings(subject: CellSubject) -> ModelSettings:
    width, options = subject.hidden_size, dict(subject.options)
    return ModelSettings(
        embedding_size=subject.input_size,
        encoder=EncoderSettings(cell=subject.name, cell_options=options, layers=2, hidden_size=width),
        decoder=DecoderSettings(cell=subject.name, cell_options=options, layers=2, hidden_size=width),
    )
