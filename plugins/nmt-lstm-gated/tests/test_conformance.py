"""The conformance kit on every cell of the distribution, by the names of its entry points."""

from __future__ import annotations

import importlib.metadata

import pytest
import torch

from nmt_lstm import CELLS
from nmt_lstm.testing import CELL_CHECKS, CellSubject, DoesNotApply

NAMES = sorted(
    point.name
    for point in importlib.metadata.distribution("nmt-lstm-gated").entry_points
    if point.group == CELLS.group
)
OPTIONS = {"ind_rnn": {"nonlinearity": "tanh", "longest": 5}, "irnn": {"scale": 0.5}}


@pytest.mark.parametrize("check", CELL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_conformance(name, check) -> None:
    try:
        check(CellSubject(CELLS.get(name), OPTIONS.get(name, {}), 5, 6))
    except DoesNotApply as reason:
        pytest.skip(str(reason))


def test_the_distribution_has_eight_cells() -> None:
    assert len(NAMES) == 8


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_drawn_again_as_the_constructor_draws_them(name) -> None:
    torch.manual_seed(1)
    cell = CELLS.build(
        name,
        5,
        6,
        options={"forget_bias": 2.5} if "forget_bias" in CELLS.options(name) else OPTIONS.get(name, {}),
    )
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(1.0)
    torch.manual_seed(1)
    cell.reset_parameters()
    for name, value in cell.state_dict().items():
        assert torch.equal(value, before[name]), name
