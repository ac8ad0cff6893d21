"""The encoder computes what PyTorch's packed recurrent networks compute, and ignores padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch, source_batch
from nmt_lstm.errors import PluginResultError
from nmt_lstm.model.encoder import SourceEncoder
from nmt_lstm.text.special_pieces import PAD

STOCK = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
DIRECTIONS = ("bidirectional", "first", "unidirectional")


def packed_network_results(
    encoder: SourceEncoder, source: SourceBatch, kind: Any, *, both: bool
) -> tuple[Tensor, Tensor]:
    """Return the states and summary that PyTorch's own network computes with the encoder's weights."""
    layers, width = len(encoder.layers), encoder.embedding.weight.shape[1]
    network = kind(width, 8, layers, batch_first=True, bidirectional=both).double()
    state = {}
    for number, layer in enumerate(encoder.layers):
        for cell, suffix in ((layer.forward_cell, ""), (layer.backward_cell, "_reverse")):
            if cell is not None:
                for name, parameter in cell.named_parameters():
                    state[f"{name}_l{number}{suffix}"] = parameter.detach()
    network.load_state_dict(state)
    inputs = nn.utils.rnn.pack_padded_sequence(
        encoder.embedding(source.pieces), source.lengths, batch_first=True, enforce_sorted=False
    )
    outputs, last = network(inputs)
    states, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    hidden = last[0] if isinstance(last, tuple) else last
    return states, torch.cat(list(hidden[-2:] if both else hidden[-1:]), -1)


@pytest.mark.parametrize("cell", STOCK)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("directions", ["bidirectional", "unidirectional"])
def test_equals_the_packed_network(make_model, sources, cell: str, layers: int, directions: str) -> None:
    encoder = make_model(cell=cell, encoder={"layers": layers, "directions": directions}).encoder
    encoded = encoder(sources)
    states, summary = packed_network_results(
        encoder, sources, STOCK[cell], both=directions == "bidirectional"
    )
    torch.testing.assert_close(encoded.states, states, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(encoded.summary, summary, rtol=1e-10, atol=1e-12)
    assert encoded.is_token is sources.is_token


@pytest.mark.parametrize("cell", [*STOCK, "leaky_average"])
@pytest.mark.parametrize("directions", DIRECTIONS)
@torch.no_grad()
def test_padding_changes_no_result(make_model, sentences, cell: str, directions: str) -> None:
    encoder = make_model(cell=cell, encoder={"layers": 2, "directions": directions, "residual": True}).encoder
    encoder.embedding.weight[PAD] = float("nan")
    pieces = sentences(4, 1, 6)
    together = encoder(source_batch(pieces, pad_to=11))
    for position, sentence in enumerate(pieces):
        alone = encoder(source_batch([sentence]))
        length = len(sentence) + 1
        torch.testing.assert_close(together.states[position, :length], alone.states[0])
        torch.testing.assert_close(together.summary[position], alone.summary[0])
        assert not together.states[position, length:].any()
    assert torch.isfinite(together.states).all()


@torch.no_grad()
def test_positions_that_are_padding_in_every_sentence_need_no_step(make_model, sentences) -> None:
    encoder = make_model().encoder.eval()
    pieces = sentences(3, 2, 5)
    longest = 1 + max(map(len, pieces))
    lengths = []
    encoder.layers[0].forward_cell.register_forward_pre_hook(
        lambda _, arguments: lengths.append(arguments[0].shape[1])
    )
    exact, padded = encoder(source_batch(pieces, pad_to=longest)), encoder(source_batch(pieces, pad_to=16))
    assert lengths == [longest, longest]
    assert padded.states.shape[1] == 16
    assert torch.equal(padded.states[:, :longest], exact.states)
    assert not padded.states[:, longest:].any()


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_no_gradient_reaches_padding(make_model, sources, directions: str) -> None:
    encoder = make_model(encoder={"layers": 2, "directions": directions}, tied_embeddings="none").encoder
    encoded = encoder(sources)
    (encoded.states.sin().sum() + encoded.summary.sin().sum()).backward()
    assert not encoder.embedding.weight.grad[PAD].any()
    assert encoder.embedding.weight.grad[sources.pieces[0]].all()


def changed_positions(encoder: SourceEncoder, sentence: list[int], position: int) -> set[int]:
    """Positions whose states change with the piece at `position`."""
    other = [*sentence]
    other[position] = 4 if sentence[position] != 4 else 5
    both = encoder(source_batch([sentence, other])).states
    return {position for position in range(both.shape[1]) if not torch.allclose(*both[:, position])}


def test_unidirectional_layers_depend_on_earlier_pieces_only(make_model, sentences) -> None:
    encoder = make_model(encoder={"layers": 2, "directions": "unidirectional"}).encoder
    assert changed_positions(encoder, sentences(1, 6, 6)[0], 3) == {3, 4, 5, 6}


@pytest.mark.parametrize("directions", ["bidirectional", "first"])
def test_other_layers_depend_on_all_pieces(make_model, sentences, directions: str) -> None:
    encoder = make_model(encoder={"layers": 2, "directions": directions}).encoder
    assert changed_positions(encoder, sentences(1, 6, 6)[0], 3) == {0, 1, 2, 3, 4, 5, 6}


def test_widths_of_each_layer(make_model) -> None:
    widths = {
        directions: [
            layer.output_size
            for layer in make_model(encoder={"layers": 3, "directions": directions}).encoder.layers
        ]
        for directions in DIRECTIONS
    }
    assert widths == {
        "bidirectional": [16, 16, 16],
        "first": [16, 8, 8],
        "unidirectional": [8, 8, 8],
    }
    encoder = make_model(encoder={"layers": 3, "directions": "first"}).encoder
    assert [layer.backward_cell is None for layer in encoder.layers] == [False, True, True]
    assert (encoder.output_size, encoder.summary_size) == (8, 8)


def through(encoder: SourceEncoder, source: SourceBatch, added: tuple[int, ...]) -> Tensor:
    """States of one sentence, layer by layer; `added` names the layers whose input is added to their output."""
    states = encoder.embedding(source.pieces)
    for number, layer in enumerate(encoder.layers):
        outputs, _ = layer.forward_cell(states, layer.forward_cell.initial_state(1))
        if layer.backward_cell is not None:
            back, _ = layer.backward_cell(states.flip(1), layer.backward_cell.initial_state(1))
            outputs = torch.cat([outputs, back.flip(1)], -1)
        states = outputs + states if number in added else outputs
    return states


@pytest.mark.parametrize(
    ("directions", "added"), [("bidirectional", (1, 2)), ("unidirectional", (1, 2)), ("first", (2,))]
)
def test_residuals_from_the_second_layer_on_where_widths_agree(
    make_model, sentences, directions, added
) -> None:
    # Embeddings as wide as a layer: the first layer's input would fit, but is not added.
    width = 16 if directions == "bidirectional" else 8
    source = source_batch(sentences(1, 6, 6))
    options = {"layers": 3, "directions": directions}
    for residual in (True, False):
        encoder = make_model(encoder={**options, "residual": residual}, embedding_size=width).encoder
        expected = through(encoder, source, added if residual else ())
        torch.testing.assert_close(encoder(source).states, expected)


def test_dropout_is_between_layers_and_on_the_result(make_model, sentences, halving) -> None:
    encoder = make_model(encoder={"layers": 2, "directions": "unidirectional"}).encoder
    source = source_batch(sentences(1, 6, 6))
    below, above = encoder.layers
    first, _ = below.forward_cell(encoder.embedding(source.pieces), below.forward_cell.initial_state(1))
    second, _ = above.forward_cell(first / 2, above.forward_cell.initial_state(1))
    encoder.dropout = encoder.layers.dropout = halving
    encoded = encoder(source)
    torch.testing.assert_close(encoded.states, second / 2)
    torch.testing.assert_close(encoded.summary, second[:, -1])


def test_an_empty_sentence_consists_of_its_end(make_model) -> None:
    encoded = make_model().encoder(source_batch([[], [5, 6]]))
    assert torch.isfinite(encoded.states).all()
    assert encoded.is_token.tolist() == [[True, False, False], [True, True, True]]


@pytest.mark.parametrize("cell", ["lstm", "leaky_average"])
def test_without_the_end_a_sentence_is_read_as_if_it_had_none(make_model, sentences, cell) -> None:
    model = make_model(cell=cell, source_end=False)
    drawn = sentences(3)
    encoded = model.encode(source_batch(drawn))
    for row, sentence in enumerate(drawn):
        count = len(sentence)
        assert encoded.is_token[row].sum() == count
        pieces = torch.tensor([sentence])
        shorter = SourceBatch(pieces, torch.ones(1, count, dtype=torch.bool), torch.tensor([count]))
        model.encoder.reads_end = True
        expected = model.encode(shorter)
        model.encoder.reads_end = False
        torch.testing.assert_close(encoded.states[row, :count], expected.states[0])
        torch.testing.assert_close(encoded.summary[row], expected.summary[0])
        assert not encoded.states[row, count:].any()


def test_an_empty_sentence_is_its_end(make_model) -> None:
    model = make_model(source_end=False)
    encoded = model.encode(source_batch([[], [7, 8]]))
    assert encoded.is_token.sum(1).tolist() == [1, 2]
    assert torch.isfinite(encoded.states).all()


@pytest.mark.parametrize("name", ["recurrent", "mixing"])
def test_weights_have_the_names_of_earlier_model_folders(make_model, name) -> None:
    names = {
        key.removeprefix("encoder.")
        for key in make_model(encoder={"name": name}).state_dict()
        if "encoder" in key
    }
    assert "embedding.weight" in names
    assert all(key.startswith("layers.") for key in names - {"embedding.weight"})
    if name == "recurrent":
        assert "layers.0.backward_cell.weight_hh" in names


def test_any_encoder_has_zeros_on_padding_and_dropout_on_its_states(make_model, sentences, halving) -> None:
    encoder = make_model(encoder={"name": "mixing", "options": {"sharpness": 2.0}}).encoder
    assert encoder.layers.sharpness == 2.0
    assert encoder.labelled_cells == []
    assert (encoder.output_size, encoder.summary_size) == (16, 5)
    source = source_batch(sentences(3, 1, 6), pad_to=9)
    before = encoder(source)
    assert before.states[source.is_token].all()
    assert not before.states[~source.is_token].any()
    encoder.dropout = halving
    torch.testing.assert_close(encoder(source).states, before.states / 2)
    assert torch.equal(encoder(source).summary, before.summary)


def test_the_network_has_one_dropout(make_model) -> None:
    for name in ("recurrent", "mixing"):
        encoder = make_model(encoder={"name": name}).encoder
        assert encoder.layers.dropout is encoder.dropout


def test_what_an_encoder_returns_is_checked(make_model, sources) -> None:
    encoder = make_model(encoder={"name": "mixing"}).encoder
    encoder.layers.forward = lambda embedded, is_token: embedded
    with pytest.raises(PluginResultError, match="Encoded") as caught:
        encoder(sources)
    assert caught.value.part == "Mixing"
