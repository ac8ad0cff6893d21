"""Sizing: networks with different parts get the same number of parameters; rejected sizes are skipped."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.config.schema import AttentionSettings, DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.lab.comparison.sizing import count_parameters, size_to
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import CELLS

PIECES = {"source_size": 300, "target_size": 300}


def model(
    cell: str = "lstm", *, encoder: int = 64, decoder: int = 64, attention: str = "bilinear"
) -> ModelSettings:
    return ModelSettings(
        embedding_size=32,
        encoder=EncoderSettings(cell=cell, hidden_size=encoder),
        decoder=DecoderSettings(cell=cell, hidden_size=decoder),
        attention=AttentionSettings(name=attention),
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_parameters_are_those_of_the_real_network(cell) -> None:
    network = build_model(model(cell), 300, 300)
    assert count_parameters(model(cell), 300, 300) == sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_all_cells_get_the_same_number_of_parameters(cell) -> None:
    target = count_parameters(model("lstm"), 300, 300)
    sized = size_to(target, model(cell), **PIECES, name=cell)
    assert count_parameters(sized, 300, 300) == pytest.approx(target, rel=0.02)
    assert sized.encoder.hidden_size == sized.decoder.hidden_size
    if cell == "lstm":
        assert sized == model("lstm")
    else:
        assert sized.decoder.hidden_size > 64


def test_the_closest_size_is_chosen() -> None:
    target = count_parameters(model("lstm"), 300, 300)
    size = size_to(target, model("gru"), **PIECES, name="gru").decoder.hidden_size
    off = {
        hidden: abs(count_parameters(model("gru", encoder=hidden, decoder=hidden), 300, 300) - target)
        for hidden in range(size - 3, size + 4)
    }
    assert off[size] == min(off.values())


def test_encoder_and_decoder_keep_their_ratio() -> None:
    target = count_parameters(model("lstm", encoder=40, decoder=80), 300, 300)
    result = size_to(target, model("rnn", encoder=40, decoder=80), **PIECES, name="rnn")
    assert result.encoder.hidden_size == pytest.approx(result.decoder.hidden_size / 2, abs=0.5)


def test_rejected_sizes_are_skipped() -> None:
    """Eight heads need source states of a multiple of eight: a multiple of four in each direction."""
    target = count_parameters(model(encoder=256, decoder=256), 300, 300)
    result = size_to(target, model("gru", attention="multi_head"), **PIECES, name="multi_head")
    assert result.decoder.hidden_size % 4 == 0
    assert count_parameters(result, 300, 300) == pytest.approx(target, rel=0.02)


def test_networks_can_be_made_smaller() -> None:
    result = size_to(30_000, model("lstm", encoder=512, decoder=512), **PIECES, name="lstm")
    assert count_parameters(result, 300, 300) == pytest.approx(30_000, rel=0.02)


def test_an_unreachable_number_names_the_closest() -> None:
    with pytest.raises(
        ConfigurationError,
        match="'gru' cannot be sized .* hidden size 1",
    ):
        size_to(5_000, model("gru"), **PIECES, name="gru")


class RejectsAllSizes(Cell):
    """A cell that rejects all sizes."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        raise ValueError("never")


class PowersOfTwo(Cell):
    """A cell whose sizes are far apart."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        if hidden_size & (hidden_size - 1):
            raise ValueError("a power of two")
        self.weight = torch.nn.Parameter(torch.empty(hidden_size, input_size + hidden_size))


class ReadsWeights(Cell):
    """A cell whose constructor reads its weights, which meta tensors do not support."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = torch.nn.Parameter(torch.ones(hidden_size, input_size))
        self.scale = float(self.weight.detach().sum())


@pytest.fixture
def registered():
    """Register the cells for the length of a test."""
    names = {
        "rejecting_for_sizing": RejectsAllSizes,
        "powers_for_sizing": PowersOfTwo,
        "reading_for_sizing": ReadsWeights,
    }
    for name, part in names.items():
        CELLS.register(name)(part)
    yield
    for name in names:
        CELLS.unregister(name)


def test_a_part_that_rejects_all_sizes_says_why(registered) -> None:
    with pytest.raises(PluginError, match="never"):
        size_to(50_000, model("rejecting_for_sizing"), **PIECES, name="rejecting")


def test_a_part_with_few_sizes_is_matched_if_one_fits(registered, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.lab.comparison.sizing._MAX_GAP", 4)
    powers = model("powers_for_sizing")
    target = count_parameters(model("powers_for_sizing", encoder=512, decoder=512), 300, 300)
    assert size_to(target, powers, **PIECES, name="powers").decoder.hidden_size == 512
    with pytest.raises(ConfigurationError, match="hidden size 512"):
        size_to(round(1.2 * target), powers, **PIECES, name="powers")


def test_parameters_of_a_part_with_real_weights_are_counted(registered) -> None:
    result = count_parameters(model("reading_for_sizing"), 300, 300)
    assert result > 64 * 32
    assert size_to(result, model("reading_for_sizing"), **PIECES, name="reading").decoder.hidden_size == 64
