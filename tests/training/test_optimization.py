"""The optimizer's groups, and clipping."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.config.schema import OptimizerSettings
from nmt_lstm.training.optimization import build_optimizer, clip_gradients


@pytest.mark.parametrize(("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)])
def test_biases_are_not_decayed(name: str, kind: type) -> None:
    model = nn.Linear(3, 2)
    optimizer = build_optimizer(model, OptimizerSettings(name=name, weight_decay=0.5), fused=True)
    assert type(optimizer) is kind
    decay = {
        id(weight): group["weight_decay"] for group in optimizer.param_groups for weight in group["params"]
    }
    assert decay == {id(model.weight): 0.5, id(model.bias): 0.0}


def test_fused_and_other_steps_agree() -> None:
    results = []
    for fused in (True, False):
        torch.manual_seed(1)
        model = nn.Linear(3, 2)
        optimizer = build_optimizer(model, OptimizerSettings(), fused=fused)
        for _ in range(3):
            model(torch.ones(1, 3)).square().sum().backward()
            optimizer.step()
        results.append(model.weight.detach())
    torch.testing.assert_close(*results)


def gradients_of(values: list[float]) -> nn.Module:
    model = nn.Linear(len(values), 1, bias=False)
    model.weight.grad = torch.tensor([values])
    return model


def test_the_norm_is_clipped_and_returned_from_before() -> None:
    model = gradients_of([3.0, 4.0])
    assert float(clip_gradients(model, largest_norm=1.0, largest_value=0.0)) == pytest.approx(5.0)
    torch.testing.assert_close(model.weight.grad, torch.tensor([[0.6, 0.8]]), atol=1e-5, rtol=1e-5)


def test_values_are_clipped() -> None:
    model = gradients_of([3.0, -4.0, 0.5])
    clip_gradients(model, largest_norm=0.0, largest_value=1.0)
    assert torch.equal(model.weight.grad, torch.tensor([[1.0, -1.0, 0.5]]))


def test_zero_disables_clipping() -> None:
    model = gradients_of([3.0, 4.0])
    assert float(clip_gradients(model, largest_norm=0.0, largest_value=0.0)) == pytest.approx(5.0)
    assert torch.equal(model.weight.grad, torch.tensor([[3.0, 4.0]]))
