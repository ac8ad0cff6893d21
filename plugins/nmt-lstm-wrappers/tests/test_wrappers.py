"""What each wrapper does to its inner cell, in training and at inference, in sequences and in steps."""

from __future__ import annotations

import pytest
import torch
from nmt_lstm_wrappers import RecurrentDropout, Residual, WeightDrop, Zoneout
from nmt_lstm_wrappers.weight_drop import SEEDS
from nmt_lstm_wrappers.wrapper import bernoulli

from nmt_lstm import CELLS, GRU, LSTM, Cell, GatedCell, PluginError, RunSettings, build_model, collate

SIZES = (5, 6)


def inputs_and_state(
    cell: Cell, batch: int = 4, length: int = 5
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Return random inputs, and a state like those that follow from the bridge."""
    torch.manual_seed(1)
    projected = tuple(torch.tanh(torch.randn(batch, width)) for width in cell.bridge_sizes.values())
    return torch.randn(batch, length, cell.input_size), cell.bridged_state(projected)


def step_outputs(cell: Cell, inputs: torch.Tensor, state: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return the outputs of single steps."""
    return Cell.forward(cell, inputs, state)[0]


@pytest.mark.parametrize("inner", ["lstm", "gru"])
def test_zoneout_follows_its_equation(inner) -> None:
    torch.manual_seed(0)
    cell = Zoneout(*SIZES, cell=inner, rate=0.4, other_rate=0.2).eval()
    inputs, state = inputs_and_state(cell)
    outputs, last = cell(inputs, state)
    for position in inputs.unbind(1):
        _, new = cell.cell.step(position, state)
        rates = (0.4, 0.2)[: len(new)]
        state = tuple(r * old + (1 - r) * updated for r, old, updated in zip(rates, state, new, strict=True))
    torch.testing.assert_close(outputs[:, -1], state[0])
    torch.testing.assert_close(last, state)


@pytest.mark.parametrize("stepwise", [False, True])
def test_zoneout_keeps_old_values_unchanged_in_training(stepwise) -> None:
    torch.manual_seed(0)
    cell = Zoneout(8, 200, cell="gru", rate=0.3).train()
    inputs, (old,) = inputs_and_state(cell, batch=50, length=1)
    outputs = step_outputs(cell, inputs, (old,)) if stepwise else cell(inputs, (old,))[0]
    updated, _ = cell.cell.step(inputs[:, 0], (old,))
    unchanged = outputs[:, 0] == old
    assert 0.27 < unchanged.float().mean() < 0.33
    torch.testing.assert_close(outputs[:, 0], torch.where(unchanged, old, updated))


def test_zoneout_draws_a_new_mask_at_every_position() -> None:
    cell = Zoneout(4, 300, cell="rnn", rate=0.5).train()
    torch.nn.init.zeros_(cell.cell.weight_hh)
    torch.nn.init.zeros_(cell.cell.weight_ih)
    outputs, _ = cell(torch.zeros(1, 6, 4), (torch.ones(1, 300),))
    # A unit that gets its new value stays 0: at each position, half of the remaining ones do.
    shares = outputs[0].gt(0).float().mean(1)
    torch.testing.assert_close(shares, 0.5 ** torch.arange(1.0, 7.0), atol=0.1, rtol=0.0)


@pytest.mark.parametrize("wrapper", [RecurrentDropout, WeightDrop])
@pytest.mark.parametrize("inner", ["lstm", "gru", "zoneout"])
def test_masks_are_the_same_in_sequences_and_in_steps(wrapper, inner) -> None:
    torch.manual_seed(0)
    options = {"cell": "lstm", "rate": 0.0} if inner == "zoneout" else None
    cell = wrapper(*SIZES, cell=inner, cell_options=options, rate=0.5).train()
    inputs, state = inputs_and_state(cell)
    outputs, _ = cell(inputs, state)
    torch.testing.assert_close(step_outputs(cell, inputs, state), outputs)
    torch.testing.assert_close(cell(inputs, state)[0], outputs)
    other, _ = cell(inputs, (*state[:-1], cell.bridged_state(state[:-1])[-1]))
    assert not torch.allclose(other, outputs)


def test_recurrent_dropout_acts_on_the_recurrent_product_only() -> None:
    torch.manual_seed(0)
    cell = RecurrentDropout(*SIZES, cell="gru", rate=0.5).train()
    inputs, (hidden, mask) = inputs_and_state(cell, length=1)
    assert set(mask.unique().tolist()) == {0.0, 2.0}
    outputs, _ = cell(inputs, (hidden, mask))
    gru = cell.cell
    (xr, xz, xn) = torch.nn.functional.linear(inputs[:, 0], gru.weight_ih, gru.bias_ih).chunk(3, -1)
    (hr, hz, hn) = torch.nn.functional.linear(hidden * mask, gru.weight_hh, gru.bias_hh).chunk(3, -1)
    z = torch.sigmoid(xz + hz)
    expected = (1 - z) * torch.tanh(xn + torch.sigmoid(xr + hr) * hn) + z * hidden
    torch.testing.assert_close(outputs[:, 0], expected)


def test_weight_drop_drops_only_recurrent_dropped_weights() -> None:
    torch.manual_seed(0)
    cell = WeightDrop(40, 50, rate=0.3).train()
    weights = cell._dropped_weights(7)
    assert list(weights) == ["weight_hh"]
    missing = weights["weight_hh"] == 0
    assert 0.28 < missing.float().mean() < 0.32
    torch.testing.assert_close(weights["weight_hh"][~missing], cell.cell.weight_hh[~missing] / 0.7)
    assert torch.equal(cell._dropped_weights(7)["weight_hh"], weights["weight_hh"])
    assert not torch.equal(cell._dropped_weights(8)["weight_hh"], weights["weight_hh"])


def test_weight_drop_passes_gradients_to_the_weights_it_keeps() -> None:
    cell = WeightDrop(*SIZES, rate=0.5).train()
    inputs, state = inputs_and_state(cell)
    (gradient,) = torch.autograd.grad(cell(inputs, state)[0].sum(), cell.cell.weight_hh)
    missing = cell._dropped_weights(int(state[-1][0, 0]))["weight_hh"] == 0
    assert gradient[missing].eq(0).all()
    assert gradient[~missing].ne(0).any()
    assert 0 <= int(state[-1][0, 0]) < SEEDS


@pytest.mark.parametrize("probability", [0.0001, 0.1, 0.5, 0.9, 1.0])
def test_masks_have_ones_with_the_given_probability(probability) -> None:
    mask = bernoulli((1000, 999), probability, torch.zeros((), dtype=torch.float64))
    assert mask.dtype == torch.float64
    assert set(mask.unique().tolist()) <= {0.0, 1.0}
    assert float(mask.mean()) == pytest.approx(probability, abs=2e-3)
    first, second = (bernoulli((9, 7), 0.5, mask, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("wrapper", [RecurrentDropout, WeightDrop, Zoneout])
def test_a_rate_of_zero_changes_nothing(wrapper) -> None:
    for inner, plain in (("lstm", LSTM), ("gru", GRU)):
        cell = wrapper(*SIZES, cell=inner, rate=0.0).train()
        bare = plain(*SIZES)
        bare.load_state_dict(cell.cell.state_dict())
        inputs, state = inputs_and_state(cell)
        outputs, _ = cell(inputs, state)
        expected, _ = bare(inputs, state[: len(bare.state_sizes)])
        torch.testing.assert_close(outputs, expected)


@pytest.mark.parametrize("wrapper", [RecurrentDropout, WeightDrop])
def test_at_inference_a_wrapper_behaves_like_its_inner_cell(wrapper) -> None:
    cell = wrapper(*SIZES, rate=0.7).eval()
    inputs, state = inputs_and_state(cell)
    assert torch.equal(cell(inputs, state)[0], cell.cell(inputs, state[:2])[0])


def test_residual_adds_the_inputs_to_the_outputs() -> None:
    same, other = Residual(6, 6, cell="gru"), Residual(5, 6, cell="gru")
    inputs, state = inputs_and_state(same)
    torch.testing.assert_close(same(inputs, state)[0], same.cell(inputs, state)[0] + inputs)
    inputs, state = inputs_and_state(other)
    expected = other.cell(inputs, state)[0] + inputs @ other.project.weight.t()
    torch.testing.assert_close(other(inputs, state)[0], expected)
    assert not same.output_is_state


@pytest.mark.parametrize("wiring", ["gnmt", "input_feeding", "conditional"])
def test_every_parameter_of_wrapped_cells_is_trained_in_every_wiring(wiring) -> None:
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


@pytest.mark.parametrize("wrapper", [RecurrentDropout, WeightDrop, Zoneout])
@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_outside_its_range_is_rejected(wrapper, rate) -> None:
    with pytest.raises(ValueError, match=f"rate .*{rate}"):
        wrapper(*SIZES, rate=rate)


def test_other_mistakes_are_rejected() -> None:
    with pytest.raises(ValueError, match="other_rate"):
        Zoneout(*SIZES, other_rate=2.0)
    with pytest.raises(ValueError, match="'weight_xy'.*weight_ih, weight_hh"):
        WeightDrop(*SIZES, cell="gru", weights=("weight_xy",))
    with pytest.raises(ValueError, match="use zoneout"):
        RecurrentDropout(*SIZES, cell=_register_cell_without_recurrent_product())
    with pytest.raises(PluginError, match="'lsmt'.*'lstm'"):
        CELLS.build("zoneout", *SIZES, options={"cell": "lsmt"})
    with pytest.raises(PluginError, match="'gru' .*'forget_bias'"):
        CELLS.build("zoneout", *SIZES, options={"cell": "gru", "cell_options": {"forget_bias": 1.0}})


def _register_cell_without_recurrent_product() -> str:
    @CELLS.register("light_of_a_test")
    class Light(GatedCell):
        gates = ("new",)
        recurrent = False

        def update(self, x, h, state):
            return (torch.tanh(x.new + state[0]),)

    return "light_of_a_test"
