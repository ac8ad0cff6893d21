"""Cells prepared for inference: they give what the cell gives, and only a cell whose step they know is replaced."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import REPLACED_IN_INFERENCE, GatedCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.prepared_cell import PieceReadingCell, PreparedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell


class Averaging(GatedCell):
    """A mean of what came so far, whose count starts at one."""

    gates = ("new", "shown")
    state = ("total", "count")
    history = False
    output_is_state = False

    @property
    def bridge_sizes(self) -> dict[str, int]:
        return {"total": self.hidden_size}

    def bridged_state(self, parts):
        return (*parts, torch.ones_like(parts[0]))

    def update(self, x, h, state):
        total, count = state[0] + torch.tanh(x.new), state[1] + 1
        return torch.sigmoid(x.shown) * total / count, total, count


class Highway(GatedCell):
    """Its input passes by where it is as wide as the cell."""

    gates = ("carry", "input")
    highway = "input"
    history = False

    def update(self, x, h, state):
        carry = torch.sigmoid(x.carry)
        return (carry * state[0] + (1 - carry) * x.input,)


def test_a_prepared_cell_starts_as_the_cell_does_and_gives_what_it_gives() -> None:
    torch.manual_seed(1)
    cell = Averaging(5, 6).eval()
    inputs, parts = torch.randn(3, 4, 5), (torch.randn(3, 6),)
    with torch.no_grad():
        expected = [cell(inputs, start) for start in (cell.initial_state(3), cell.bridged_state(parts))]
        prepared = cell.prepare_for_inference("float32")
        assert isinstance(prepared, PreparedCell)
        seen = [
            prepared(inputs, start) for start in (prepared.initial_state(3), prepared.bridged_state(parts))
        ]
    for (outputs, last), (wanted, wanted_last) in zip(seen, expected, strict=True):
        torch.testing.assert_close(outputs, wanted)
        torch.testing.assert_close(last, wanted_last)
    assert not prepared.output_is_state
    assert dict(prepared.bridge_sizes) == {"total": 6}


def test_the_cell_itself_is_left_as_it_is_and_its_other_tensors_are_shared() -> None:
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
def test_a_subclass_that_overrides_what_would_be_replaced_stays_itself(name) -> None:
    own = type("Own", (LSTM,), {name: lambda self, *arguments: getattr(LSTM, name)(self, *arguments)})
    cell = own(5, 6)
    assert cell.prepare_for_inference("int8") is cell
    assert cell.piece_table_width == 0
    with pytest.raises(TypeError, match="Own"):
        cell.prepare_for_pieces(torch.randn(9, 5), "int8")


def test_cells_without_a_faster_form_stay_themselves() -> None:
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


@pytest.mark.parametrize("inputs", [6, 5])
def test_inputs_that_pass_by_are_vectors(inputs) -> None:
    torch.manual_seed(1)
    cell = Highway(inputs, 6).eval()
    assert cell.piece_table_width == (0 if inputs == 6 else 12)
    vectors = torch.randn(3, 4, inputs)
    with torch.no_grad():
        expected = cell(vectors, cell.initial_state(3))
        found = cell.prepare_for_inference("float32")(vectors, cell.initial_state(3))
    torch.testing.assert_close(found, expected)


def test_pieces_are_read_as_their_embeddings() -> None:
    torch.manual_seed(1)
    embeddings, pieces = torch.randn(40, 5), torch.randint(40, (3, 4))
    cell = LSTM(5, 6).eval()
    with torch.no_grad():
        expected = cell(embeddings[pieces], cell.initial_state(3))
        prepared = cell.prepare_for_pieces(embeddings, "float32")
        assert isinstance(prepared, PieceReadingCell)
        found = prepared(pieces, prepared.initial_state(3))
        torch.testing.assert_close(found, expected)
        step, _ = prepared.step(pieces[:, 0], prepared.initial_state(3))
    torch.testing.assert_close(step, expected[0][:, 0])
    assert prepared.prepare_for_inference("float32") is prepared
