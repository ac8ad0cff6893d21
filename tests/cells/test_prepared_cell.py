"""Cells prepared for inference compute what the cell computes; a cell with a step of its own is not replaced."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import REPLACED_IN_INFERENCE, GatedCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.prepared_cell import PreparedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell


class Highway(GatedCell):
    """A cell that passes its input where that is as wide as the cell."""

    gates = ("carry", "input")
    highway = "input"
    recurrent = False

    def update(self, x, h, state):
        carry = torch.sigmoid(x.carry)
        return (carry * state[0] + (1 - carry) * x.input,)


def test_a_prepared_cell_has_the_states_and_results_of_the_cell(running_mean) -> None:
    torch.manual_seed(1)
    cell = running_mean(5, 6).eval()
    inputs, projected = torch.randn(3, 4, 5), (torch.randn(3, 6),)
    prepared = cell.prepare_for_inference("float32")
    assert isinstance(prepared, PreparedCell)
    with torch.no_grad():
        torch.testing.assert_close(
            prepared(inputs, prepared.initial_state(3)), cell(inputs, cell.initial_state(3))
        )
        torch.testing.assert_close(
            prepared(inputs, prepared.bridged_state(projected)), cell(inputs, cell.bridged_state(projected))
        )
    assert not prepared.output_is_state
    assert dict(prepared.bridge_sizes) == {"total": 6}


def test_the_cell_itself_does_not_change_and_shares_its_other_tensors() -> None:
    class Scaled(LSTM):
        def __init__(self, input_size, hidden_size):
            super().__init__(input_size, hidden_size)
            self.scale = torch.nn.Parameter(torch.ones(hidden_size))

    cell = Scaled(5, 6)
    before = dict(cell.named_parameters())
    prepared = cell.prepare_for_inference("int8")
    assert dict(cell.named_parameters()) == before
    assert [name for name, _ in prepared.named_parameters()] == ["cell.scale"]
    assert prepared.cell.scale is cell.scale


@pytest.mark.parametrize("name", REPLACED_IN_INFERENCE)
def test_a_subclass_that_overrides_a_replaced_method_is_not_replaced(name) -> None:
    own = type("Own", (LSTM,), {name: lambda self, *arguments: getattr(LSTM, name)(self, *arguments)})
    cell = own(5, 6)
    assert cell.prepare_for_inference("int8") is cell
    assert cell.piece_table_width == 0
    with pytest.raises(TypeError, match="Own"):
        cell.prepare_for_pieces(torch.randn(9, 5), "int8")


def test_cells_without_a_faster_form_are_not_replaced() -> None:
    class Stepwise(StepwiseCell):
        gates = ("new",)
        products = (("old", 1),)

        def advance(self, x, products, state):
            return (torch.tanh(x.new + products["old"](state[0])[0]),)

    class Plain(Cell):
        def step(self, inputs, state):
            return inputs, state

    for cell in (Stepwise(5, 6), Plain(5, 6)):
        assert cell.prepare_for_inference("int8") is cell
        assert cell.piece_table_width == 0


@pytest.mark.parametrize("input_size", [6, 5])
def test_a_cell_that_passes_its_inputs_needs_vectors(input_size) -> None:
    torch.manual_seed(1)
    cell = Highway(input_size, 6).eval()
    assert cell.piece_table_width == (0 if input_size == 6 else 12)
    vectors = torch.randn(3, 4, input_size)
    with torch.no_grad():
        expected = cell(vectors, cell.initial_state(3))
        result = cell.prepare_for_inference("float32")(vectors, cell.initial_state(3))
    torch.testing.assert_close(result, expected)


def test_pieces_are_read_as_their_embeddings() -> None:
    torch.manual_seed(1)
    embeddings, pieces = torch.randn(40, 5), torch.randint(40, (3, 4))
    cell = LSTM(5, 6).eval()
    with torch.no_grad():
        expected = cell(embeddings[pieces], cell.initial_state(3))
        prepared = cell.prepare_for_pieces(embeddings, "float32")
        assert isinstance(prepared, PreparedCell)
        torch.testing.assert_close(prepared(pieces, prepared.initial_state(3)), expected)
        step, _ = prepared.step(pieces[:, 0], prepared.initial_state(3))
    torch.testing.assert_close(step, expected[0][:, 0])
    assert prepared.prepare_for_inference("float32") is prepared
