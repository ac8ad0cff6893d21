"""Gated and stepwise cells: checked names, and the order and initialisation of parameters."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell

GATES = {"gates": ("keep", "new"), "state": ("hidden", "memory")}
PRODUCTS = {"products": (("keep", 1), ("both", 2))}


def define_cell(base: type, **attributes) -> type:
    return type("Defined", (base,), {**GATES, **(PRODUCTS if base is StepwiseCell else {}), **attributes})


BASES = pytest.mark.parametrize("base", [GatedCell, StepwiseCell])


@BASES
@pytest.mark.parametrize(
    ("attributes", "error", "words"),
    [
        ({"gates": "keep"}, TypeError, ("gates", "('keep',)")),
        ({"gates": ("keep", "keep")}, TypeError, ("gates", "twice")),
        ({"state": ()}, TypeError, ("state", "tuple")),
        ({"biases": {"forget": 1.0}}, ValueError, ("'forget'", "not a gate")),
    ],
)
def test_mistakes_are_rejected_when_the_class_is_defined(base, attributes, error, words) -> None:
    with pytest.raises(error) as error_info:
        define_cell(base, **attributes)
    assert all(word in str(error_info.value) for word in ("Defined", *words))


@pytest.mark.parametrize(
    ("base", "names"),
    [
        (GatedCell, ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]),
        (StepwiseCell, ["weight_ih", "bias_ih", "weight_keep", "weight_both"]),
    ],
)
def test_parameters_keep_their_order(base, names) -> None:
    """An optimizer's state in a checkpoint refers to parameters by number."""
    assert [name for name, _ in define_cell(base)(3, 4).named_parameters()] == names


@BASES
def test_each_state_has_the_hidden_width(base) -> None:
    assert define_cell(base)(3, 4).state_sizes == {"hidden": 4, "memory": 4}


@BASES
def test_parameters_are_initialised_by_reset_parameters(base) -> None:
    torch.manual_seed(1)
    cell = define_cell(base, biases={"keep": 1.0, "new": 2.0})(3, 4, initial_biases={"keep": 5.0})
    assert cell.bias_ih.tolist() == [5.0] * 4 + [2.0] * 4
    recurrent = [weight for name, weight in cell.named_parameters() if weight.shape[1:] == (4,)]
    assert sum(len(weight) for weight in recurrent) == (8 if base is GatedCell else 12)
    for block in (block for weight in recurrent for block in weight.split(4)):
        torch.testing.assert_close(block @ block.t(), torch.eye(4), rtol=0.0, atol=1e-5)
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(7.0)
    torch.manual_seed(1)
    cell.reset_parameters()
    assert all(torch.equal(value, before[name]) for name, value in cell.state_dict().items())
