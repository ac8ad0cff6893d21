"""From settings to a network: what is tied, what is refused, and that seeds decide."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.model.build import build_model

SOURCE, TARGET, E, H, D = 17, 13, 6, 8, 10
# LSTM: four gates of input and recurrent weights with a bias each.
ENCODER = 2 * 4 * H * (E + H + 2)
DECODER = 4 * D * (E + D + 2)
ATTENTION = 2 * H * D
BRIDGE = (2 * H + 1) * 2 * D
READOUT = (D + 2 * H + 1) * E
REST = ENCODER + DECODER + ATTENTION + BRIDGE + READOUT


def built(settings_of, source: int = SOURCE, target: int = TARGET, **named):
    torch.manual_seed(0)
    return build_model(settings_of(**named), source, target)


def count(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_untied(settings_of) -> None:
    model = built(settings_of, tied_embeddings="none")
    assert count(model) == SOURCE * E + 2 * TARGET * E + TARGET + REST
    places = {
        weight.data_ptr()
        for weight in (model.encoder.embedding.weight, model.target_embedding.weight, model.output_weight)
    }
    assert len(places) == 3


def test_target_tied(settings_of) -> None:
    model = built(settings_of, tied_embeddings="target")
    assert count(model) == SOURCE * E + TARGET * E + TARGET + REST
    assert model.output_weight is model.target_embedding.weight
    assert model.encoder.embedding.weight is not model.target_embedding.weight


def test_all_tied(settings_of) -> None:
    model = built(settings_of, SOURCE, SOURCE, tied_embeddings="all")
    assert count(model) == SOURCE * E + SOURCE + REST
    assert model.output_weight is model.target_embedding.weight
    assert model.encoder.embedding.weight is model.target_embedding.weight


def test_parameters_of_the_other_wirings(settings_of) -> None:
    vocabularies = SOURCE * E + TARGET * E + TARGET
    feeding = built(settings_of, tied_embeddings="target", wiring="input_feeding")
    assert count(feeding) == vocabularies + REST + 4 * D * E
    conditional = built(settings_of, tied_embeddings="target", wiring="conditional")
    assert count(conditional) == vocabularies + REST + 4 * D * (2 * H + D + 2) + E * E


@pytest.mark.parametrize(
    ("wiring", "widths"),
    [
        ("gnmt", [E, D + 2 * H, D + 2 * H]),
        ("conditional", [E, D + 2 * H, D + 2 * H]),
        ("input_feeding", [2 * E, D, D]),
    ],
)
def test_inputs_of_each_decoder_layer(settings_of, wiring, widths) -> None:
    model = built(settings_of, tied_embeddings="none", wiring=wiring, decoder={"layers": 3})
    assert [cell.input_size for cell in model.decoder.layers] == widths


def test_one_embedding_needs_one_vocabulary(settings_of) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r'tied_embeddings = "all" needs one vocabulary .* 17 and 13 pieces\. Set subwords\.joint = true',
    ):
        built(settings_of, tied_embeddings="all")


@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_unknown_cell(settings_of, side) -> None:
    with pytest.raises(PluginError, match=r"unknown cell 'lstn'\. Did you mean 'lstm'\?"):
        built(settings_of, SOURCE, SOURCE, **{side: {"cell": "lstn"}})


def test_unknown_attention(settings_of) -> None:
    with pytest.raises(PluginError, match=r"unknown attention 'bilinar'\. Did you mean 'bilinear'\?"):
        built(settings_of, SOURCE, SOURCE, attention="bilinar")


@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_an_option_that_the_cell_has_not(settings_of, side) -> None:
    options = {"forget_bais": 2.0}
    with pytest.raises(PluginError, match=r"unknown option 'forget_bais'\. Did you mean 'forget_bias'\?"):
        built(settings_of, SOURCE, SOURCE, **{side: {"cell": "lstm", "cell_options": options}})


def test_an_option_of_the_wrong_type(settings_of) -> None:
    with pytest.raises(PluginError, match=r"option 'forget_bias' is 'big', but must be float"):
        built(settings_of, SOURCE, SOURCE, encoder={"cell_options": {"forget_bias": "big"}})


def test_an_option_that_does_not_fit_the_sizes(settings_of) -> None:
    with pytest.raises(PluginError, match=r"multi_head.*heads=3 does not divide the source states' width 16"):
        built(settings_of, SOURCE, SOURCE, attention="multi_head", options={"heads": 3})


def test_options_reach_their_parts(settings_of) -> None:
    model = built(
        settings_of, SOURCE, SOURCE,
        encoder={"cell_options": {"forget_bias": 2.0}, "layers": 2},
        decoder={"cell_options": {"forget_bias": 3.0}, "layers": 2},
        wiring="conditional", attention="multi_head", options={"heads": 2},
    )  # fmt: skip
    for layer in model.encoder.layers:
        for cell in (layer.forward_cell, layer.backward_cell):
            assert (cell.bias_ih[H : 2 * H] == 2.0).all()
    for cell in (*model.decoder.layers, model.decoder.second):
        assert (cell.bias_ih[D : 2 * D] == 3.0).all()
    assert model.decoder.attention.heads == 2


def test_cells_of_each_side_are_their_own_kind(settings_of) -> None:
    model = built(settings_of, SOURCE, SOURCE, encoder={"cell": "gru"}, decoder={"cell": "rnn", "layers": 2})
    assert {type(layer.backward_cell).__name__ for layer in model.encoder.layers} == {"GRU"}
    assert {type(cell).__name__ for cell in model.decoder.layers} == {"RNN"}


@pytest.mark.parametrize("tied", ["none", "target"])
def test_output_weights_are_drawn_like_embeddings(settings_of, tied) -> None:
    model = built(settings_of, SOURCE, 2_000, tied_embeddings=tied, embedding_size=64)
    norms = model.output_weight.detach().norm(dim=1)
    assert float(norms.square().mean()) == pytest.approx(1.0, rel=0.02)
    assert float(norms.std()) == pytest.approx(0.5**0.5 / 64**0.5, rel=0.1)  # normal, not uniform


@pytest.mark.parametrize("wiring", ["gnmt", "input_feeding", "conditional"])
def test_the_seed_decides_the_weights(settings_of, wiring) -> None:
    named = {"wiring": wiring, "attention": "additive", "tied_embeddings": "none"}
    one, two = built(settings_of, **named), built(settings_of, **named)
    assert all(
        torch.equal(left, right) for left, right in zip(one.parameters(), two.parameters(), strict=True)
    )
    torch.manual_seed(1)
    other = build_model(settings_of(**named), SOURCE, TARGET)
    assert not torch.equal(one.output_weight, other.output_weight)
    assert not torch.equal(one.decoder.layers[0].weight_ih, other.decoder.layers[0].weight_ih)


def test_no_two_layers_begin_alike(settings_of) -> None:
    model = built(settings_of, SOURCE, SOURCE, encoder={"layers": 3}, decoder={"layers": 3})
    cells = [cell for layer in model.encoder.layers for cell in (layer.forward_cell, layer.backward_cell)]
    drawn = [tuple(cell.weight_hh.flatten().tolist()) for cell in (*cells, *model.decoder.layers)]
    assert len(set(drawn)) == 9


def test_first_losses_are_those_of_chance(settings_of, batch) -> None:
    """Nothing is preferred before training: each of V pieces has about 1/V."""
    for tied in ("none", "all"):
        model = built(settings_of, 23, 23, tied_embeddings=tied, embedding_size=64).eval()
        loss = model.loss(batch)
        mean = float(loss.negative_log_likelihood) / loss.pieces
        assert mean == pytest.approx(torch.tensor(23.0).log().item(), abs=0.5)


def test_dropout_reaches_every_part(settings_of) -> None:
    model = built(settings_of, SOURCE, SOURCE, dropout=0.3, word_dropout=0.1, variational_dropout=True)
    embeddings = (model.encoder.embedding, model.target_embedding)
    for part in (*embeddings, model.encoder, model.decoder):
        assert (part.dropout.probability, part.dropout.variational) == (0.3, True)
    assert [embedding.word_dropout for embedding in embeddings] == [0.1, 0.1]


def test_output_starts_at_the_frequencies_of_pieces(settings_of) -> None:
    counts = torch.tensor([0] * (TARGET - 3) + [1, 7, 79])
    torch.manual_seed(0)
    model = build_model(settings_of(tied_embeddings="target"), SOURCE, TARGET, target_counts=counts)
    expected = (counts + 1) / (counts + 1).sum()
    torch.testing.assert_close(torch.softmax(model.output_bias.detach(), 0), expected)
    without = built(settings_of, tied_embeddings="target")
    assert not without.output_bias.any()
    assert torch.equal(model.output_weight, without.output_weight)
