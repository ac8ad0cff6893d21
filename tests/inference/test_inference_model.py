"""A prepared network computes what the network does: up to rounding in float32, approximately in other precisions."""

from __future__ import annotations

import itertools

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.prepared_cell import PreparedCell
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.inference import inference_model
from nmt_lstm.inference.inference_model import prepare_for_inference
from nmt_lstm.numerics.piece_table import PieceTable
from nmt_lstm.registry import ATTENTIONS, CELLS

CELL_NAMES = sorted(CELLS.names())
ATTENTION_NAMES = sorted(ATTENTIONS.names())


def difference(one, other):
    return ((one - other).norm() / one.norm()).item()


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_float32_agrees_for_every_cell(make_model, sources, decode, cell, wiring) -> None:
    model = make_model(cell=cell, encoder={"layers": 2}, decoder={"layers": 2, "wiring": wiring})
    expected, actual = decode(model, sources), decode(prepare_for_inference(model).pack(), sources)
    assert torch.allclose(actual[0], expected[0], atol=1e-5)
    assert torch.allclose(actual[1], expected[1], atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("attention", ATTENTION_NAMES)
def test_float32_agrees_for_every_attention(make_model, sources, decode, attention, layers) -> None:
    model = make_model(attention=attention, decoder={"layers": layers})
    expected, actual = decode(model, sources), decode(prepare_for_inference(model).pack(), sources)
    assert torch.allclose(actual[0], expected[0], atol=1e-5)
    assert torch.allclose(actual[1], expected[1], atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"tied_embeddings": "none"},
        {"encoder": {"directions": "unidirectional", "layers": 2}},
        {"encoder": {"directions": "first", "layers": 3, "residual": True}},
        {"decoder": {"bridge": "zero", "layers": 3, "residual": True}},
        {"dropout": 0.5, "variational_dropout": True, "word_dropout": 0.3},
        {"source_end": False, "decoder": {"bridge": "mean"}},
        {
            "source_end": False,
            "encoder": {"layers": 2},
            "decoder": {"layers": 2, "hidden_size": 32, "bridge": "copy"},
        },
        {
            "tied_embeddings": "none",
            "decoder": {"output_size": 9, "output_activation": "none", "bridge": "linear"},
        },
    ],
)
def test_float32_agrees_for_every_network(make_model, sources, decode, changes) -> None:
    model = make_model(**changes)
    assert torch.allclose(
        decode(prepare_for_inference(model).pack(), sources)[0], decode(model, sources)[0], atol=1e-5
    )


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize(("precision", "largest"), [("bf16", 0.02), ("int8", 0.06)])
def test_reduced_precision_is_close(make_model, sources, decode, wiring, precision, largest) -> None:
    for cell in CELL_NAMES:
        model = make_model(cell=cell, decoder={"wiring": wiring})
        with torch.no_grad():  # with small weights, the recurrence does not amplify errors
            for parameter in model.parameters():
                parameter.mul_(0.4)
        expected, actual = (
            decode(model, sources)[0],
            decode(prepare_for_inference(model, precision).pack(), sources)[0],
        )
        assert 1e-5 < difference(expected, actual) < largest, cell


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_row_does_not_depend_on_the_number_of_rows(make_model, precision, cell) -> None:
    model = prepare_for_inference(make_model(cell=cell), precision).pack()
    sentences = torch.randint(4, 61, (40, 7), generator=torch.Generator().manual_seed(1))

    @torch.no_grad()
    def first_step(count):
        state = model.start(model.encode(source_batch(sentences[:count].tolist())))
        return model.step(torch.arange(count) + 4, state)

    together = first_step(40)
    for count in (1, 2, 3, 7, 9, 33):
        assert torch.equal(first_step(count).logits, together.logits[:count])
        assert torch.equal(first_step(count).attention, together.attention[:count])


def test_the_network_itself_is_not_changed(make_model, sources, decode) -> None:
    model = make_model()
    weights = {name: values.clone() for name, values in model.state_dict().items()}
    expected = decode(model, sources)
    prepare_for_inference(model, "int8")
    assert list(model.state_dict()) == list(weights)
    assert all(torch.equal(values, weights[name]) for name, values in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(decode(model, sources)[0], expected[0])


def test_tables_replace_input_products_where_only_a_cell_reads_embeddings(make_model) -> None:
    def tables(**changes):
        prepared = prepare_for_inference(make_model(**changes))
        return sorted(name for name, module in prepared.named_modules() if isinstance(module, PieceTable))

    encoder = [
        "encoder.layers.0.backward_cell.from_input",
        "encoder.layers.0.forward_cell.from_input",
    ]
    assert tables() == ["decoder.cells.0.from_input", *encoder]
    assert tables(decoder={"layers": 2}, encoder={"layers": 2}) == ["decoder.cells.0.from_input", *encoder]
    assert tables(decoder={"wiring": "input_feeding"}) == encoder
    assert tables(decoder={"wiring": "conditional"}) == encoder


def test_tables_stay_within_their_memory(make_model, monkeypatch, sources, decode) -> None:
    model = make_model()
    decoder = 61 * 80 * 4
    monkeypatch.setattr(inference_model, "LARGEST_TABLES", decoder)
    prepared = prepare_for_inference(model).pack()
    names = [name for name, module in prepared.named_modules() if isinstance(module, PieceTable)]
    assert names == ["decoder.cells.0.from_input"]
    assert torch.allclose(decode(prepared, sources)[0], decode(model, sources)[0], atol=1e-5)


def test_a_cell_that_overrides_step_is_not_prepared(make_model, sources, decode) -> None:
    class Doubled(GatedCell):
        gates = ("candidate",)

        def update(self, x, h, state):
            return (torch.tanh(x.candidate + h.candidate),)

        def step(self, inputs, state):
            output, state = super().step(inputs, state)
            return 2.0 * output, state

        def forward(self, inputs, state):
            outputs, state = super().forward(inputs, state)
            return 2.0 * outputs, state

    model = make_model()
    model.decoder.cells[0] = Doubled(12, 20)
    model.encoder.layers[0].forward_cell = Doubled(12, 16)
    model.decoder.bridge.widths = [(20,)]
    model.decoder.bridge.projection = torch.nn.Linear(32, 20)
    prepared = prepare_for_inference(model, "float32").pack()
    assert isinstance(prepared.decoder.cells[0], Doubled)
    assert isinstance(prepared.encoder.layers[0].backward_cell, PreparedCell)
    assert torch.allclose(decode(prepared, sources)[0], decode(model, sources)[0], atol=1e-5)


def test_attention_sums_to_one_in_reduced_precision(make_model, sources, decode) -> None:
    for precision, layers in itertools.product(("bf16", "int8"), (1, 2)):
        attention = decode(
            prepare_for_inference(make_model(decoder={"layers": layers}), precision).pack(), sources
        )[1]
        assert torch.allclose(attention.sum(1), torch.ones(len(attention)), atol=1e-3)
