"""Every cell follows its paper's equations, computed here for one sentence and one position at a time."""

from __future__ import annotations

import pytest
import torch
from nmt_lstm_gated import (
    IRNN,
    CoupledLSTM,
    IndRNN,
    LayerNormGRU,
    LayerNormLSTM,
    MinimalGatedUnit,
    MultiplicativeLSTM,
    PeepholeLSTM,
)

SIZES = (5, 6)
s, tanh = torch.sigmoid, torch.tanh


def products(cell, x, h):
    """Return W x + b and U h + d of each gate."""
    width = cell.hidden_size
    from_input = [
        w @ x + b for w, b in zip(cell.weight_ih.split(width), cell.bias_ih.split(width), strict=True)
    ]
    if not hasattr(cell, "weight_hh"):
        return from_input, []
    from_state = [
        u @ h + d for u, d in zip(cell.weight_hh.split(width), cell.bias_hh.split(width), strict=True)
    ]
    return from_input, from_state


def peephole(cell, x, h, c):
    """Gers and Schmidhuber 2000."""
    (xi, xf, xg, xo), (hi, hf, hg, ho) = products(cell, x, h)
    i, f = s(xi + hi + cell.input_peephole * c), s(xf + hf + cell.forget_peephole * c)
    c = f * c + i * tanh(xg + hg)
    return s(xo + ho + cell.output_peephole * c) * tanh(c), c


def coupled(cell, x, h, c):
    """Greff et al. 2017."""
    (xf, xg, xo), (hf, hg, ho) = products(cell, x, h)
    f = s(xf + hf)
    c = f * c + (1 - f) * tanh(xg + hg)
    return s(xo + ho) * tanh(c), c


def irnn(cell, x, h):
    """Le et al. 2015."""
    (from_input,), (from_state,) = products(cell, x, h)
    return (torch.clamp(from_input + from_state, min=0),)


def ind_rnn(cell, x, h):
    """Li et al. 2018."""
    (from_input,), _ = products(cell, x, h)
    bound = 2 ** (1 / 100)
    return (torch.clamp(from_input + torch.clamp(cell.recurrent_weight, -bound, bound) * h, min=0),)


def minimal(cell, x, h):
    """Zhou et al. 2016."""
    (xf, xg), _ = products(cell, x, h)
    f = s(xf + cell.weight_forget @ h)
    return ((1 - f) * h + f * tanh(xg + cell.weight_candidate @ (f * h)),)


def multiplicative(cell, x, h, c):
    """Krause et al. 2016."""
    (xm, xi, xf, xg, xo), _ = products(cell, x, h)
    m = xm * (cell.weight_multiplier @ h)
    vi, vf, vg, vo = (v @ m for v in cell.weight_gates.split(cell.hidden_size))
    c = s(xf + vf) * c + s(xi + vi) * tanh(xg + vg)
    return s(xo + vo) * tanh(c), c


def normal(v):
    """Ba et al. 2016, without gain and shift."""
    return (v - v.mean()) / torch.sqrt(((v - v.mean()) ** 2).mean() + 1e-5)


def normalised(cell, x, h):
    """Return each gate's normalised products; those from the input include the shift."""
    from_input, from_state = products(cell, x, h)
    from_input = [normal(v) * g + b for v, g, b in zip(from_input, cell.input_gain, cell.shift, strict=True)]
    return from_input, [normal(v) * g for v, g in zip(from_state, cell.history_gain, strict=True)]


def layer_norm_lstm(cell, x, h, c):
    """Ba et al. 2016."""
    (xi, xf, xg, xo), (hi, hf, hg, ho) = normalised(cell, x, h)
    c = s(xf + hf) * c + s(xi + hi) * tanh(xg + hg)
    return s(xo + ho) * tanh(normal(c) * cell.cell_gain + cell.cell_shift), c


def layer_norm_gru(cell, x, h):
    """Ba et al. 2016, on cuDNN's GRU."""
    (xr, xz, xn), (hr, hz, hn) = normalised(cell, x, h)
    n, z = tanh(xn + s(xr + hr) * hn), s(xz + hz)
    return ((1 - z) * n + z * h,)


EQUATIONS = {
    PeepholeLSTM: peephole,
    CoupledLSTM: coupled,
    IRNN: irnn,
    IndRNN: ind_rnn,
    MinimalGatedUnit: minimal,
    MultiplicativeLSTM: multiplicative,
    LayerNormLSTM: layer_norm_lstm,
    LayerNormGRU: layer_norm_gru,
}


@pytest.mark.parametrize("kind", EQUATIONS, ids=lambda kind: kind.__name__)
def test_sequence_and_gradients_follow_the_equations(kind) -> None:
    torch.manual_seed(1)
    cell = kind(*SIZES).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    inputs = torch.randn(3, 4, SIZES[0], dtype=torch.float64)
    start = tuple(torch.randn(3, width, dtype=torch.float64) for width in cell.state_sizes.values())
    outputs, last = cell(inputs, start)
    expected, ends = [], []
    for row in range(3):
        state = tuple(tensor[row] for tensor in start)
        for x in inputs[row]:
            state = EQUATIONS[kind](cell, x, *state)
            expected.append(state[0])
        ends.append(state)
    expected_outputs = torch.stack(expected).view(3, 4, -1)
    torch.testing.assert_close(outputs, expected_outputs)
    for tensor, rows in zip(last, zip(*ends, strict=True), strict=True):
        torch.testing.assert_close(tensor, torch.stack(rows))
    for gradient, exact in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        torch.autograd.grad(expected_outputs.square().sum(), list(cell.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(gradient, exact)


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        (CoupledLSTM, 3 / 4),
        (MinimalGatedUnit, 1 / 2),
        (IndRNN, 1 / 8),
        (IRNN, 1 / 4),
        (MultiplicativeLSTM, 10 / 8),
    ],
)
def test_the_share_of_an_lstms_parameters_is_as_documented(kind, share) -> None:
    count = sum(parameter.numel() for parameter in kind(64, 64).parameters())
    assert count == pytest.approx(share * 8 * 64 * 64, rel=0.05)


@pytest.mark.parametrize("kind", [PeepholeLSTM, CoupledLSTM, MultiplicativeLSTM])
def test_the_forget_bias_belongs_to_the_forget_gate(kind) -> None:
    cell = kind(*SIZES, forget_bias=3.0)
    forget = kind.gates.index("forget")
    assert [bool((block == 3.0).all()) for block in cell.bias_ih.split(6)] == [
        number == forget for number in range(len(kind.gates))
    ]
    assert LayerNormLSTM(*SIZES, forget_bias=3.0).shift[1].eq(3.0).all()


def test_irnn_starts_as_the_identity_and_remembers() -> None:
    cell = IRNN(4, 8)
    outputs, _ = cell(torch.zeros(2, 50, 4), (torch.rand(2, 8),))
    torch.testing.assert_close(outputs[:, -1], outputs[:, 0])


def test_ind_rnn_limits_its_recurrent_weights() -> None:
    cell = IndRNN(3, 4, longest=10)
    with torch.no_grad():
        cell.recurrent_weight.fill_(100.0)
        cell.weight_ih.zero_()
    outputs, _ = cell(torch.zeros(1, 10, 3), (torch.ones(1, 4),))
    torch.testing.assert_close(outputs[0, -1], torch.full((4,), 2.0))


def test_ind_rnn_rejects_zero_steps() -> None:
    with pytest.raises(ValueError, match="longest .* 0"):
        IndRNN(3, 4, longest=0)


def test_layer_norm_makes_the_scale_of_weights_irrelevant() -> None:
    torch.manual_seed(1)
    cell = LayerNormLSTM(*SIZES)
    inputs, state = torch.randn(2, 4, 5), cell.initial_state(2)
    before, _ = cell(inputs, state)
    with torch.no_grad():
        for parameter in (cell.weight_ih, cell.bias_ih):
            parameter.mul_(7.0)
    after, _ = cell(inputs, state)
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)
