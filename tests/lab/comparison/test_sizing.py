"""Sizing: networks of other parts get as many parameters; sizes that parts refuse are stepped over."""

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
def test_counting_counts_the_real_network(cell) -> None:
    network = build_model(model(cell), 300, 300)
    assert count_parameters(model(cell), 300, 300) == sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_other_cells_get_as_many_parameters(cell) -> None:
    wanted = count_parameters(model("lstm"), 300, 300)
    found = size_to(wanted, model(cell), **PIECES, name=cell)
    assert found.parameters == count_parameters(found.model, 300, 300)
    assert abs(found.parameters - wanted) <= 0.02 * wanted
    assert found.model.encoder.hidden_size == found.model.decoder.hidden_size
    if cell == "lstm":
        assert found.model == model("lstm")
    else:
        assert found.model.decoder.hidden_size > 64


def test_the_nearest_size_is_taken() -> None:
    wanted = count_parameters(model("lstm"), 300, 300)
    size = size_to(wanted, model("gru"), **PIECES, name="gru").model.decoder.hidden_size
    off = {
        hidden: abs(count_parameters(model("gru", encoder=hidden, decoder=hidden), 300, 300) - wanted)
        for hidden in range(size - 3, size + 4)
    }
    assert off[size] == min(off.values())


def test_encoder_and_decoder_keep_their_proportion() -> None:
    wanted = count_parameters(model("lstm", encoder=40, decoder=80), 300, 300)
    found = size_to(wanted, model("rnn", encoder=40, decoder=80), **PIECES, name="rnn").model
    assert found.encoder.hidden_size == pytest.approx(found.decoder.hidden_size / 2, abs=0.5)


def test_sizes_that_a_part_refuses_are_stepped_over() -> None:
    """Eight heads take source states of a multiple of eight: hidden layers of a multiple of four, both ways."""
    wanted = count_parameters(model(encoder=256, decoder=256), 300, 300)
    found = size_to(wanted, model("gru", attention="multi_head"), **PIECES, name="multi_head")
    assert found.model.decoder.hidden_size % 4 == 0
    assert abs(found.parameters - wanted) <= 0.02 * wanted


def test_a_smaller_number_is_reached_too() -> None:
    found = size_to(30_000, model("lstm", encoder=512, decoder=512), **PIECES, name="lstm")
    assert found.parameters == pytest.approx(30_000, rel=0.02)


def test_what_cannot_be_matched_names_the_nearest() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"'gru' cannot be sized to 5,000 parameters: with hidden layers of 1 it has [\d,]+, and no size comes nearer",
    ):
        size_to(5_000, model("gru"), **PIECES, name="gru")


class Stubborn(Cell):
    """A cell that takes no size."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        raise ValueError("never")


class PowersOfTwo(Cell):
    """A cell of few sizes, far apart."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        if hidden_size & (hidden_size - 1):
            raise ValueError("a power of two")
        self.weight = torch.nn.Parameter(torch.empty(hidden_size, input_size + hidden_size))


class Drawing(Cell):
    """A cell that looks at its weights when it is made, which tensors without memory cannot bear."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = torch.nn.Parameter(torch.ones(hidden_size, input_size))
        self.scale = float(self.weight.detach().sum())


@pytest.fixture
def registered():
    names = {
        "stubborn_for_sizing": Stubborn,
        "powers_for_sizing": PowersOfTwo,
        "drawing_for_sizing": Drawing,
    }
    for name, part in names.items():
        CELLS.register(name)(part)
    yield
    for name in names:
        del CELLS._decorated[name]


def test_a_part_that_takes_no_size_says_why(registered) -> None:
    with pytest.raises(PluginError, match="never"):
        size_to(50_000, model("stubborn_for_sizing"), **PIECES, name="stubborn")


def test_a_part_of_few_sizes_is_matched_where_one_of_them_fits(registered, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.lab.comparison.sizing._STEP_OVER", 4)
    powers = model("powers_for_sizing")
    wanted = count_parameters(model("powers_for_sizing", encoder=512, decoder=512), 300, 300)
    assert size_to(wanted, powers, **PIECES, name="powers").model.decoder.hidden_size == 512
    with pytest.raises(ConfigurationError, match="with hidden layers of 512 it has"):
        size_to(round(1.2 * wanted), powers, **PIECES, name="powers")


def test_a_part_that_needs_real_weights_is_counted(registered) -> None:
    found = count_parameters(model("drawing_for_sizing"), 300, 300)
    assert found > 64 * 32
    assert (
        size_to(found, model("drawing_for_sizing"), **PIECES, name="drawing").model.decoder.hidden_size == 64
    )
