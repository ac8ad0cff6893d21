"""Every cell follows its paper's equations, computed here for one sentence and one position at a time."""

from __future__ import annotations

import pytest
import torch
from nmt_lstm_light import ATR, LRN, QRNN, SSRU, MinGRU, MinLSTM

SIZES = (5, 6)
s, tanh = torch.sigmoid, torch.tanh


def products(cell, x):
    """Return W x + b of each gate."""
    width = cell.hidden_size
    return [w @ x + b for w, b in zip(cell.weight_ih.split(width), cell.bias_ih.split(width), strict=True)]


def ssru(cell, x, c):
    """Kim et al. 2019."""
    f, u = products(cell, x)
    c = s(f) * c + (1 - s(f)) * u
    return torch.clamp(c, min=0), c


def g(v):
    """Feng et al. 2024, from the version in logarithmic space."""
    return torch.where(v >= 0, v + 0.5, s(v))


def min_gru(cell, x, h):
    """Feng et al. 2024."""
    z, u = products(cell, x)
    h = (1 - s(z)) * h + s(z) * (g(u) if cell.positive else u)
    return h, h


def min_lstm(cell, x, h):
    """Feng et al. 2024."""
    f, i, u = products(cell, x)
    f, i = s(f) / (s(f) + s(i)), s(i) / (s(f) + s(i))
    h = f * h + i * (g(u) if cell.positive else u)
    return h, h


def lrn(cell, x, h):
    """Zhang and Sennrich 2019."""
    q, k, v = products(cell, x)
    c = s(k + h) * v + s(q - h) * h
    h = tanh(c) if cell.activation == "tanh" else c
    return h, h


def atr(cell, x, h):
    """Zhang et al. 2018."""
    (p,), q = products(cell, x), cell.weight_hh @ h + cell.bias_hh
    h = s(p + q) * p + s(p - q) * h
    return h, h


CASES = [
    (SSRU, {}, ssru),
    (MinGRU, {}, min_gru),
    (MinGRU, {"positive": True}, min_gru),
    (MinLSTM, {}, min_lstm),
    (MinLSTM, {"positive": True}, min_lstm),
    (LRN, {}, lrn),
    (LRN, {"activation": "identity"}, lrn),
    (ATR, {}, atr),
]


@pytest.mark.parametrize(("kind", "options", "equations"), CASES)
def test_sequence_and_gradients_follow_the_equations(kind, options, equations) -> None:
    torch.manual_seed(1)
    cell = kind(*SIZES, **options).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    inputs = torch.randn(3, 6, SIZES[0], dtype=torch.float64)
    start = tuple(torch.randn(3, width, dtype=torch.float64) for width in cell.state_sizes.values())
    outputs, last = cell(inputs, start)
    expected, ends = [], []
    for row in range(3):
        state = tuple(tensor[row] for tensor in start)
        for x in inputs[row]:
            output, *state = equations(cell, x, *state)
            expected.append(output)
        ends.append(state)
    expected_outputs = torch.stack(expected).view(3, 6, -1)
    torch.testing.assert_close(outputs, expected_outputs)
    for tensor, rows in zip(last, zip(*ends, strict=True), strict=True):
        torch.testing.assert_close(tensor, torch.stack(rows))
    for gradient, exact in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        torch.autograd.grad(expected_outputs.square().sum(), list(cell.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(gradient, exact)


@pytest.mark.parametrize(("window", "length"), [(1, 3), (2, 5), (4, 6), (4, 2)])
def test_qrnn_follows_its_equations(window, length) -> None:
    """Bradbury et al. 2017: a convolution over the inputs, zeros before the first, then fo-pooling."""
    torch.manual_seed(1)
    cell = QRNN(*SIZES, window=window).double()
    with torch.no_grad():
        cell.bias.normal_()
    inputs = torch.randn(3, length, 5, dtype=torch.float64)
    start = torch.randn(3, 6, dtype=torch.float64)
    outputs, last = cell(inputs, cell.bridged_state((start,)))
    output_list = []
    for row in range(3):
        c = start[row]
        for position in range(length):
            gates = cell.bias
            for lag, weight in enumerate(cell.weight.split(18)):
                if position >= lag:
                    gates = gates + weight @ inputs[row, position - lag]
            f, z, o = gates.split(6)
            c = s(f) * c + (1 - s(f)) * tanh(z)
            output_list.append(s(o) * c)
        torch.testing.assert_close(last[0][row], c)
    expected = torch.stack(output_list).view(3, length, 6)
    torch.testing.assert_close(outputs, expected)
    for gradient, exact in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        torch.autograd.grad(expected.square().sum(), list(cell.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(gradient, exact)


@pytest.mark.parametrize(
    ("kind", "share"), [(SSRU, 2 / 8), (MinGRU, 2 / 8), (MinLSTM, 3 / 8), (LRN, 3 / 8), (ATR, 2 / 8)]
)
def test_the_share_of_an_lstms_parameters_is_as_documented(kind, share) -> None:
    count = sum(parameter.numel() for parameter in kind(64, 64).parameters())
    assert count == pytest.approx(share * 8 * 64 * 64, rel=0.05)


def test_options_set_the_biases_of_gates() -> None:
    assert SSRU(*SIZES, forget_bias=2.0).bias_ih[:6].eq(2.0).all()
    assert MinLSTM(*SIZES, forget_bias=2.0).bias_ih[:6].eq(2.0).all()
    assert MinGRU(*SIZES, update_bias=-2.0).bias_ih[:6].eq(-2.0).all()


def test_minimal_lstm_is_finite_if_both_gates_are_closed() -> None:
    cell = MinLSTM(*SIZES)
    with torch.no_grad():
        cell.bias_ih[:12].fill_(-200.0)
    outputs, _ = cell(torch.randn(2, 5, 5), cell.initial_state(2))
    (gradient,) = torch.autograd.grad(outputs.sum(), cell.weight_ih)
    assert torch.isfinite(outputs).all()
    assert torch.isfinite(gradient).all()


def test_qrnn_with_a_window_of_one_has_no_other_state() -> None:
    cell = QRNN(*SIZES, window=1)
    assert cell.state_sizes == cell.bridge_sizes == {"cell": 6}
    assert QRNN(*SIZES, window=3).state_sizes == {"cell": 6, "gates": 36}
    outputs, state = cell(torch.randn(2, 3, 5), cell.initial_state(2))
    assert outputs.shape == (2, 3, 6)
    assert len(state) == 1


def test_qrnn_rejects_a_window_of_zero() -> None:
    with pytest.raises(ValueError, match="window .* 0"):
        QRNN(*SIZES, window=0)
