"""Networks built from settings: tied weights, rejected settings, and reproducible weights."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.config.wirings import WIRINGS
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


def built_model(settings_of, source: int = SOURCE, target: int = TARGET, **named):
    torch.manual_seed(0)
    return build_model(settings_of(**named), source, target)


def parameter_count(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_untied_embeddings_have_three_weights(settings_of) -> None:
    model = built_model(settings_of, tied_embeddings="none")
    assert parameter_count(model) == SOURCE * E + 2 * TARGET * E + TARGET + REST
    addresses = {
        weight.data_ptr()
        for weight in (model.encoder.embedding.weight, model.target_embedding.weight, model.output_weight)
    }
    assert len(addresses) == 3


def test_a_tied_target_embedding_shares_the_output_weight(settings_of) -> None:
    model = built_model(settings_of, tied_embeddings="target")
    assert parameter_count(model) == SOURCE * E + TARGET * E + TARGET + REST
    assert model.output_weight is model.target_embedding.weight
    assert model.encoder.embedding.weight is not model.target_embedding.weight


def test_all_tied_embeddings_are_one_weight(settings_of) -> None:
    model = built_model(settings_of, SOURCE, SOURCE, tied_embeddings="all")
    assert parameter_count(model) == SOURCE * E + SOURCE + REST
    assert model.output_weight is model.target_embedding.weight
    assert model.encoder.embedding.weight is model.target_embedding.weight


def test_other_wirings_have_the_parameters_of_their_equations(settings_of) -> None:
    vocabularies = SOURCE * E + TARGET * E + TARGET
    feeding = built_model(settings_of, tied_embeddings="target", wiring="input_feeding")
    assert parameter_count(feeding) == vocabularies + REST + 4 * D * E
    conditional = built_model(settings_of, tied_embeddings="target", wiring="conditional")
    assert parameter_count(conditional) == vocabularies + REST + 4 * D * (2 * H + D + 2) + E * E


@pytest.mark.parametrize(
    ("wiring", "widths"),
    [
        ("gnmt", [E, D + 2 * H, D + 2 * H]),
        ("conditional", [E, D + 2 * H, D + 2 * H]),
        ("input_feeding", [2 * E, D, D]),
        ("top", [E, D, D]),
    ],
)
def test_decoder_layers_have_the_input_widths_of_their_wiring(settings_of, wiring, widths) -> None:
    model = built_model(settings_of, tied_embeddings="none", wiring=wiring, decoder={"layers": 3})
    assert [cell.input_size for cell in model.decoder.layers] == widths


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_output_may_have_a_width_of_its_own(settings_of, batch, wiring) -> None:
    decoder = {"output_size": 9, "output_activation": "none"}
    model = build_model(settings_of(tied_embeddings="none", wiring=wiring, decoder=decoder), 23, 23)
    assert model.output_weight.shape == (23, 9)
    outputs = model(batch).outputs
    assert outputs.shape[-1] == 9
    with torch.no_grad():
        model.decoder.readout.bias.fill_(3.0)
        # Nothing bounds the output.
        assert model(batch).outputs.max() > 1.0
    assert torch.isfinite(model.loss(batch).total)


def test_tied_embeddings_need_an_output_of_their_width(settings_of) -> None:
    assert built_model(settings_of, tied_embeddings="target", decoder={"output_size": E})
    with pytest.raises(ConfigurationError, match="tied_embeddings") as caught:
        built_model(settings_of, tied_embeddings="target", decoder={"output_size": 9})
    assert (caught.value.key, caught.value.value) == ("model.decoder.output_size", 9)


def test_a_copied_state_needs_the_same_states_in_encoder_and_decoder(settings_of) -> None:
    for encoder, decoder in (({}, {"hidden_size": 10}), ({}, {"layers": 2}), ({}, {"cell": "gru"})):
        with pytest.raises(ConfigurationError, match="hidden 16, cell 16") as caught:
            built_model(
                settings_of, encoder=encoder, decoder={"hidden_size": 16, "bridge": "copy", **decoder},
                tied_embeddings="none",
            )  # fmt: skip
        assert caught.value.key == "model.decoder.bridge"


def test_a_single_embedding_needs_a_joint_vocabulary(settings_of) -> None:
    with pytest.raises(
        ConfigurationError,
        match="17 and 13 pieces",
    ):
        built_model(settings_of, tied_embeddings="all")


@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_an_unknown_cell_is_rejected(settings_of, side) -> None:
    with pytest.raises(PluginError, match="'lstn'.*mean 'lstm'"):
        built_model(settings_of, SOURCE, SOURCE, **{side: {"cell": "lstn"}})


def test_an_unknown_attention_is_rejected(settings_of) -> None:
    with pytest.raises(PluginError, match="'bilinar'.*mean 'bilinear'"):
        built_model(settings_of, SOURCE, SOURCE, attention="bilinar")


@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_an_unknown_option_is_rejected(settings_of, side) -> None:
    options = {"forget_bais": 2.0}
    with pytest.raises(PluginError, match="'forget_bais'.*mean 'forget_bias'"):
        built_model(settings_of, SOURCE, SOURCE, **{side: {"cell": "lstm", "cell_options": options}})


def test_an_option_of_the_wrong_type_is_rejected(settings_of) -> None:
    with pytest.raises(PluginError, match="'forget_bias' is 'big'"):
        built_model(settings_of, SOURCE, SOURCE, encoder={"cell_options": {"forget_bias": "big"}})


def test_an_option_that_does_not_fit_the_sizes_is_rejected(settings_of) -> None:
    with pytest.raises(PluginError, match="heads=3.* 16"):
        built_model(settings_of, SOURCE, SOURCE, attention="multi_head", options={"heads": 3})


def test_options_reach_their_cells_and_attention(settings_of) -> None:
    model = built_model(
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


def test_encoder_and_decoder_may_use_different_cells(settings_of) -> None:
    model = built_model(
        settings_of, SOURCE, SOURCE, encoder={"cell": "gru"}, decoder={"cell": "rnn", "layers": 2}
    )
    assert {type(layer.backward_cell).__name__ for layer in model.encoder.layers} == {"GRU"}
    assert {type(cell).__name__ for cell in model.decoder.layers} == {"RNN"}


@pytest.mark.parametrize("tied", ["none", "target"])
def test_output_weights_are_drawn_like_embeddings(settings_of, tied) -> None:
    model = built_model(settings_of, SOURCE, 2_000, tied_embeddings=tied, embedding_size=64)
    norms = model.output_weight.detach().norm(dim=1)
    assert float(norms.square().mean()) == pytest.approx(1.0, rel=0.02)
    assert float(norms.std()) == pytest.approx(0.5**0.5 / 64**0.5, rel=0.1)  # normal, not uniform


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_seed_decides_the_weights(settings_of, wiring) -> None:
    named = {"wiring": wiring, "attention": "additive", "tied_embeddings": "none"}
    first, second = built_model(settings_of, **named), built_model(settings_of, **named)
    assert all(
        torch.equal(left, right) for left, right in zip(first.parameters(), second.parameters(), strict=True)
    )
    torch.manual_seed(1)
    other = build_model(settings_of(**named), SOURCE, TARGET)
    assert not torch.equal(first.output_weight, other.output_weight)
    assert not torch.equal(first.decoder.layers[0].weight_ih, other.decoder.layers[0].weight_ih)


def test_no_two_layers_start_with_the_same_weights(settings_of) -> None:
    model = built_model(settings_of, SOURCE, SOURCE, encoder={"layers": 3}, decoder={"layers": 3})
    cells = [cell for layer in model.encoder.layers for cell in (layer.forward_cell, layer.backward_cell)]
    drawn = [tuple(cell.weight_hh.flatten().tolist()) for cell in (*cells, *model.decoder.layers)]
    assert len(set(drawn)) == 9


def test_untrained_models_have_the_loss_of_chance(settings_of, batch) -> None:
    """Before training each of V pieces has a probability of about 1/V."""
    for tied in ("none", "all"):
        model = built_model(settings_of, 23, 23, tied_embeddings=tied, embedding_size=64).eval()
        loss = model.loss(batch)
        mean = float(loss.negative_log_likelihood) / loss.pieces
        assert mean == pytest.approx(torch.tensor(23.0).log().item(), abs=0.5)


def test_dropout_reaches_every_module(settings_of) -> None:
    model = built_model(settings_of, SOURCE, SOURCE, dropout=0.3, word_dropout=0.1, variational_dropout=True)
    embeddings = (model.encoder.embedding, model.target_embedding)
    for module in (*embeddings, model.encoder, model.decoder):
        assert (module.dropout.probability, module.dropout.variational) == (0.3, True)
    assert [embedding.word_dropout for embedding in embeddings] == [0.1, 0.1]


def test_output_biases_start_at_the_frequencies_of_pieces(settings_of) -> None:
    counts = torch.tensor([0] * (TARGET - 3) + [1, 7, 79])
    torch.manual_seed(0)
    model = build_model(settings_of(tied_embeddings="target"), SOURCE, TARGET, target_counts=counts)
    expected = (counts + 1) / (counts + 1).sum()
    torch.testing.assert_close(torch.softmax(model.output_bias.detach(), 0), expected)
    without = built_model(settings_of, tied_embeddings="target")
    assert not without.output_bias.any()
    assert torch.equal(model.output_weight, without.output_weight)
