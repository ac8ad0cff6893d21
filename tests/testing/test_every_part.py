"""One battery over every registered cell and attention, the stock ones in all their variants."""

from __future__ import annotations

import pytest

from nmt_lstm.registry import ATTENTIONS, CELLS
from nmt_lstm.testing import ATTENTION_CHECKS, CELL_CHECKS, AttentionSubject, CellSubject, DoesNotApply

CELL_OPTIONS = [("lstm", {"forget_bias": 0.0}), ("rnn", {"nonlinearity": "relu"})]
ATTENTION_OPTIONS = [("additive", {"normed": True}), ("multi_head", {"heads": 1})]
EVERY_CELL = [*((name, {}) for name in CELLS.names()), *CELL_OPTIONS]
EVERY_ATTENTION = [*((name, {}) for name in ATTENTIONS.names()), *ATTENTION_OPTIONS]


def label(value) -> str:
    """The name of a part with its options, or of a check."""
    if isinstance(value, tuple):
        return "-".join([value[0], *(f"{key}={option}" for key, option in value[1].items())])
    return value.__name__


def run(check, subject) -> None:
    try:
        assert check(subject)
    except DoesNotApply as answer:
        pytest.skip(str(answer))


@pytest.mark.parametrize("check", CELL_CHECKS, ids=label)
@pytest.mark.parametrize("part", EVERY_CELL, ids=label)
def test_every_cell(part, check) -> None:
    name, options = part
    run(check, CellSubject(CELLS.get(name), options))


@pytest.mark.parametrize("check", ATTENTION_CHECKS, ids=label)
@pytest.mark.parametrize("part", EVERY_ATTENTION, ids=label)
def test_every_attention(part, check) -> None:
    name, options = part
    run(check, AttentionSubject(ATTENTIONS.get(name), options))


def test_the_stock_parts_are_among_them() -> None:
    assert {"lstm", "gru", "rnn"} <= set(CELLS.names())
    assert {"dot", "bilinear", "additive", "multi_head", "none"} <= set(ATTENTIONS.names())
