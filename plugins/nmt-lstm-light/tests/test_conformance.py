"""The conformance kit on every cell of the distribution, found by its name."""

from __future__ import annotations

import importlib.metadata

import pytest

from nmt_lstm.registry import CELLS
from nmt_lstm.testing import CELL_CHECKS, CellSubject, DoesNotApply

NAMES = sorted(
    point.name
    for point in importlib.metadata.distribution("nmt-lstm-light").entry_points
    if point.group == CELLS.group
)
OPTIONS: dict[str, dict[str, object]] = {"min_lstm": {"positive": True}, "qrnn": {"window": 3}}


@pytest.mark.parametrize("check", CELL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_conformance(name, check) -> None:
    try:
        check(CellSubject(CELLS.get(name), OPTIONS.get(name, {}), 5, 6))
    except DoesNotApply as answer:
        pytest.skip(str(answer))


def test_there_are_six() -> None:
    assert len(NAMES) == 6
