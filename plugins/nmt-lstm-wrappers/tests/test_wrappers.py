"""What each wrapper does to the cell inside, in training and otherwise, in sequences and in steps."""

from __future__ import annotations

import pytest
import torch
from nmt_lstm_wrappers import RecurrentDropout, Residual, WeightDrop, Zoneout
from nmt_lstm_wrappers.weight_drop import SEEDS
from nmt_lstm_wrappers.wrapper import bernoulli

from nmt_lstm import CELLS, GRU, LSTM, Cell, GatedCell, PluginError, RunSettings, build_model, collate

SIZES = (5, 6)


def given(cell: Cell, batch: int = 4, length: int = 5) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Inputs, and a state such as the bridge makes."""
    torch.manual_seed(1)
    parts = tuple(torch.tanh(torch.randn(batch, width)) for width in cell.bridge_sizes.values())
    return torch.randn(batch, length, cell.input_size), cell.bridged_state(parts)


def by_steps(cell: Cell, inputs: torch.Tensor, state: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The outputs of single steps."""
    return Cell.forward(cell, inputs, state)[0]


@pytest.mark.parametrize("inner", ["lstm", "gru"])
def test_zoneout_is_the_equation(inner) -> None:
    torch.manual_seed(0)
    cell = Zoneout(*SIZES, cell=inner, rate=0.4, other_rate=0.2).eval()
    inputs, state = given(cell)
    outputs, last = cell(inputs, state)
    for position in inputs.unbind(1):
        _, new = cell.cell.step(position, state)
        rates = (0.4, 0.2)[: len(new)]
        state = tuple(r * old + (1 - r) * fresh for r, old, fresh in zip(rates, state, new, strict=True))
    torch.testing.assert_close(outputs[:, -1], state[0])
    torch.testing.assert_close(last, state)


@pytest.mark.parametrize("stepwise", [False, True])
def test_zoneout_keeps_old_values_whole_in_training(stepwise) -> None:
    torch.manual_seed(0)
    cell = Zoneout(8, 200, cell="gru", rate=0.3).train()
    inputs, (old,) = given(cell, batch=50, length=1)
    outputs = by_steps(cell, inputs, (old,)) if stepwise else cell(inputs, (old,))[0]
    fresh, _ = cell.cell.step(inputs[:, 0], (old,))
    kept = outputs[:, 0] == old
    assert 0.27 < kept.float().mean() < 0.33
    torch.testing.assert_close(outputs[:, 0], torch.where(kept, old, fresh))


def test_zoneout_draws_anew_at_every_position() -> None:
    cell = Zoneout(4, 300, cell="rnn", rate=0.5).train()
    torch.nn.init.zeros_(cell.cell.weight_hh)
    torch.nn.init.zeros_(cell.cell.weight_ih)
    outputs, _ = cell(torch.zeros(1, 6, 4), (torch.ones(1, 300),))
    # Each unit that takes its new value is 0 from then on: half of those left at each position.
    shares = outputs[0].gt(0).float().mean(1)
    torch.testing.assert_close(shares, 0.5 ** torch.arange(1.0, 7.0), atol=0.1, rtol=0.0)


@pytest.mark.parametrize("part", [RecurrentDropout, WeightDrop])
@pytest.mark.parametrize("inner", ["lstm", "gru", "zoneout"])
def test_masks_last_for_a_sentence_in_sequences_and_in_steps(part, inner) -> None:
    torch.manual_seed(0)
    options = {"cell": "lstm", "rate": 0.0} if inner == "zoneout" else None
    cell = part(*SIZES, cell=inner, cell_options=options, rate=0.5).train()
    inputs, state = given(cell)
    outputs, _ = cell(inputs, state)
    torch.testing.assert_close(by_steps(cell, inputs, state), outputs)
    torch.testing.assert_close(cell(inputs, state)[0], outputs)
    other, _ = cell(inputs, (*state[:-1], cell.bridged_state(state[:-1])[-1]))
    assert not torch.allclose(other, outputs)


def test_recurrent_dropout_drops_what_enters_the_product_alone() -> None:
    torch.manual_seed(0)
    cell = RecurrentDropout(*SIZES, cell="gru", rate=0.5).train()
    inputs, (hidden, mask) = given(cell, length=1)
    assert set(mask.unique().tolist()) == {0.0, 2.0}
    outputs, _ = cell(inputs, (hidden, mask))
    gru = cell.cell
    (xr, xz, xn) = torch.nn.functional.linear(inputs[:, 0], gru.weight_ih, gru.bias_ih).chunk(3, -1)
    (hr, hz, hn) = torch.nn.functional.linear(hidden * mask, gru.weight_hh, gru.bias_hh).chunk(3, -1)
    z = torch.sigmoid(xz + hz)
    expected = (1 - z) * torch.tanh(xn + torch.sigmoid(xr + hr) * hn) + z * hidden
    torch.testing.assert_close(outputs[:, 0], expected)


def test_weight_drop_leaves_out_recurrent_weights_alone() -> None:
    torch.manual_seed(0)
    cell = WeightDrop(40, 50, rate=0.3).train()
    weights = cell._weights(7)
    assert list(weights) == ["weight_hh"]
    missing = weights["weight_hh"] == 0
    assert 0.28 < missing.float().mean() < 0.32
    torch.testing.assert_close(weights["weight_hh"][~missing], cell.cell.weight_hh[~missing] / 0.7)
    assert torch.equal(cell._weights(7)["weight_hh"], weights["weight_hh"])
    assert not torch.equal(cell._weights(8)["weight_hh"], weights["weight_hh"])


def test_weight_drop_gives_the_whole_weight_its_gradient() -> None:
    cell = WeightDrop(*SIZES, rate=0.5).train()
    inputs, state = given(cell)
    (gradient,) = torch.autograd.grad(cell(inputs, state)[0].sum(), cell.cell.weight_hh)
    missing = cell._weights(int(state[-1][0, 0]))["weight_hh"] == 0
    assert gradient[missing].eq(0).all()
    assert gradient[~missing].ne(0).any()
    assert 0 <= int(state[-1][0, 0]) < SEEDS


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 1.0])
def test_ones_are_drawn_for_the_share(share) -> None:
    drawn = bernoulli((1000, 999), share, torch.zeros((), dtype=torch.float64))
    assert drawn.dtype == torch.float64
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}
    assert float(drawn.mean()) == pytest.approx(share, abs=2e-3)
    one, other = (bernoulli((9, 7), 0.5, drawn, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("part", [RecurrentDropout, WeightDrop, Zoneout])
def test_a_rate_of_zero_changes_nothing(part) -> None:
    for inner, plain in (("lstm", LSTM), ("gru", GRU)):
        cell = part(*SIZES, cell=inner, rate=0.0).train()
        bare = plain(*SIZES)
        bare.load_state_dict(cell.cell.state_dict())
        inputs, state = given(cell)
        outputs, _ = cell(inputs, state)
        expected, _ = bare(inputs, state[: len(bare.state_sizes)])
        torch.testing.assert_close(outputs, expected)


@pytest.mark.parametrize("part", [RecurrentDropout, WeightDrop])
def test_outside_of_training_it_is_the_cell_inside(part) -> None:
    cell = part(*SIZES, rate=0.7).eval()
    inputs, state = given(cell)
    assert torch.equal(cell(inputs, state)[0], cell.cell(inputs, state[:2])[0])


def test_residual_adds_the_inputs() -> None:
    same, other = Residual(6, 6, cell="gru"), Residual(5, 6, cell="gru")
    inputs, state = given(same)
    torch.testing.assert_close(same(inputs, state)[0], same.cell(inputs, state)[0] + inputs)
    inputs, state = given(other)
    expected = other.cell(inputs, state)[0] + inputs @ other.project.weight.t()
    torch.testing.assert_close(other(inputs, state)[0], expected)
    assert not same.output_is_state


@pytest.mark.parametrize("wiring", ["gnmt", "input_feeding", "conditional"])
def test_wrapped_cells_are_trained_in_every_wiring(wiring) -> None:
    encoder = {
        "hidden_size": 6,
        "cell": "weight_drop",
        "cell_options": {"cell": "residual"},
    }
    decoder = {
        "hidden_size": 6,
        "cell": "zoneout",
        "cell_options": {"cell": "recurrent_dropout", "cell_options": {"cell": "lstm"}},
        "wiring": wiring,
    }
    data = dict.fromkeys(("train_source", "train_target", "valid_source", "valid_target"), "text")
    network = {"embedding_size": 6, "encoder": encoder, "decoder": decoder}
    run = RunSettings.model_validate({"data": data, "model": network})
    torch.manual_seed(1)
    model = build_model(run.model, 20, 20).train()
    model.loss(collate([[5, 6, 7], [9]], [[11, 12], [13]])).total.backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert not missing


@pytest.mark.parametrize("part", [RecurrentDropout, WeightDrop, Zoneout])
@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_that_is_no_share_is_refused(part, rate) -> None:
    with pytest.raises(ValueError, match=f"rate is a share of at least 0 and less than 1; got {rate}"):
        part(*SIZES, rate=rate)


def test_other_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="other_rate is a share"):
        Zoneout(*SIZES, other_rate=2.0)
    with pytest.raises(
        ValueError, match="cell 'gru' has no weight 'weight_xy' to drop; it has weight_ih, weight_hh"
    ):
        WeightDrop(*SIZES, cell="gru", weights=("weight_xy",))
    with pytest.raises(
        ValueError, match="has no product with its last output, so there is nothing to drop; use zoneout"
    ):
        RecurrentDropout(*SIZES, cell=_register_light())
    with pytest.raises(PluginError, match="unknown cell 'lsmt'. Did you mean 'lstm'?"):
        CELLS.build("zoneout", *SIZES, options={"cell": "lsmt"})
    with pytest.raises(PluginError, match="cell 'gru' .* unknown option 'forget_bias'"):
        CELLS.build("zoneout", *SIZES, options={"cell": "gru", "cell_options": {"forget_bias": 1.0}})


def _register_light() -> str:
    @CELLS.register("light_of_a_test")
    class Light(GatedCell):
        gates = ("new",)
        recurrent = False

        def update(self, x, h, state):
            return (torch.tanh(x.new + state[0]),)

    return "light_of_a_test"
