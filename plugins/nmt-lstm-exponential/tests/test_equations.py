"""Both cells follow their paper's equations, computed here without keeping exponentials in range."""

from __future__ import annotations

import math

import pytest
import torch
from nmt_lstm_exponential import MLSTM, SLSTM, mlstm
from nmt_lstm_exponential.log_sigmoid import log_sigmoid

SIZES = (5, 6)
s, exp = torch.sigmoid, torch.exp


def randomised(cell):
    """Return a cell with random parameters, random inputs, and tensors like the bridge's."""
    torch.manual_seed(1)
    cell = cell.double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    inputs = torch.randn(3, 7, 5, dtype=torch.float64)
    projected = tuple(torch.tanh(torch.randn(3, width)).double() for width in cell.bridge_sizes.values())
    return cell, inputs, projected


def check_equations(cell, outputs, expected) -> None:
    """Check values and gradients."""
    torch.testing.assert_close(outputs, expected)
    for gradient, exact in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        torch.autograd.grad(expected.square().sum(), list(cell.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(gradient, exact)


@pytest.mark.parametrize("forget_gate", ["sigmoid", "exponential"])
def test_slstm_follows_its_equations(forget_gate) -> None:
    cell, inputs, projected = randomised(SLSTM(*SIZES, forget_gate=forget_gate, forget_bias=0.5))
    outputs, last = cell(inputs, cell.bridged_state(projected))
    expected = []
    for row in range(3):
        h, c = (tensor[row] for tensor in projected)
        n = torch.ones_like(c)
        for x in inputs[row]:
            v = cell.weight_ih @ x + cell.bias_ih + cell.weight_hh @ h + cell.bias_hh
            vi, vf, vz, vo = v.split(6)
            i, f = exp(vi), s(vf) if forget_gate == "sigmoid" else exp(vf)
            c, n = f * c + i * torch.tanh(vz), f * n + i
            h = s(vo) * c / n
            expected.append(h)
        factor = exp(last[3][row])
        torch.testing.assert_close(last[1][row] * factor, c)
        torch.testing.assert_close(last[2][row] * factor, n)
    check_equations(cell, outputs, torch.stack(expected).view(3, 7, 6))


@pytest.mark.parametrize("chunk", [1, 3, 64])
@pytest.mark.parametrize("heads", [1, 2])
def test_mlstm_follows_its_equations(heads, chunk, monkeypatch) -> None:
    monkeypatch.setattr(mlstm, "CHUNK", chunk)
    cell, inputs, projected = randomised(MLSTM(*SIZES, heads=heads, forget_bias=0.5))
    outputs, last = cell(inputs, cell.bridged_state(projected))
    width = 6 // heads
    expected = torch.zeros_like(outputs)
    for row in range(3):
        for head in range(heads):
            columns = slice(head * width, (head + 1) * width)
            value, key = (tensor[row, columns] for tensor in projected)
            key = key / math.sqrt(width)
            memory, n = torch.outer(value, key), key
            rows = []
            for x in inputs[row]:
                products = cell.weight @ x + cell.bias
                q, k, v, o = (products[6 * number : 6 * number + 6][columns] for number in range(4))
                k = k / math.sqrt(width)
                i, f = exp(products[24 + head]), s(products[24 + heads + head])
                memory, n = f * memory + i * torch.outer(v, k), f * n + i * k
                rows.append(s(o) * (memory @ q) / (n @ q).abs().clamp_min(1.0))
            expected[row, :, columns] = torch.stack(rows)
            factor = exp(last[2][row, head])
            torch.testing.assert_close(last[0][row].view(heads, width, width)[head] * factor, memory)
            torch.testing.assert_close(last[1][row, columns] * factor, n)
    check_equations(cell, outputs, expected)


@pytest.mark.parametrize("cell", [SLSTM(*SIZES), MLSTM(*SIZES, heads=2)], ids=["slstm", "mlstm"])
@pytest.mark.parametrize("value", [-300.0, 300.0])
def test_results_are_finite_for_extreme_gates(cell, value) -> None:
    """The exponentials of 300 and -300 are outside the range of float32."""
    gates = (
        (cell.bias_ih[:6], cell.bias_ih[6:12])
        if isinstance(cell, SLSTM)
        else (cell.bias[24:26], cell.bias[26:])
    )
    for gate in gates:
        with torch.no_grad():
            gate.fill_(value)
        outputs, last = cell(torch.randn(2, 70, 5), cell.initial_state(2))
        gradients = torch.autograd.grad(outputs.square().sum(), list(cell.parameters()))
        for tensor in (outputs, *last, *gradients):
            assert torch.isfinite(tensor).all()


def test_log_sigmoid_is_finite_and_correct() -> None:
    values = torch.linspace(-500, 500, 101, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(log_sigmoid(values), torch.nn.functional.logsigmoid(values))
    (gradient,) = torch.autograd.grad(log_sigmoid(values).sum(), values)
    torch.testing.assert_close(gradient, torch.sigmoid(-values), atol=1e-9, rtol=1e-6)


def test_slstm_can_overrule_what_it_stored() -> None:
    cell = SLSTM(1, 4)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.weight_ih[:4].fill_(20.0)
        cell.weight_ih[8:12].fill_(1.0)
        cell.bias_ih[12:].fill_(10.0)
    start = cell.bridged_state((torch.zeros(1, 4), torch.full((1, 4), -1.0)))
    outputs, _ = cell(torch.ones(1, 1, 1), start)
    torch.testing.assert_close(outputs[0, 0], torch.tanh(torch.ones(4)), atol=1e-3, rtol=0.0)


def test_mlstm_recalls_a_value_with_its_key() -> None:
    cell = MLSTM(4, 4, heads=1, forget_bias=20.0)
    with torch.no_grad():
        cell.weight.zero_()
        cell.weight[:4] = 4.0 * torch.eye(4)
        cell.weight[4:8] = torch.eye(4)
        cell.weight[8:12] = torch.eye(4).roll(1, 0)
        cell.bias[12:16].fill_(20.0)
    pairs = torch.eye(4)[None, :3]
    outputs, _ = cell(torch.cat([pairs, pairs[:, :1]], 1), cell.initial_state(1))
    assert outputs[0, -1].argmax() == outputs[0, 0].argmax()


def test_heads_that_do_not_divide_the_width_are_rejected() -> None:
    with pytest.raises(ValueError, match="heads=4 .* 6"):
        MLSTM(5, 6, heads=4)
