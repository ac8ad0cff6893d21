"""All checks of every registered cell, attention and encoder, the built-in ones in all their variants."""

from __future__ import annotations

import pytest

from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS
from nmt_lstm.testing import (
    ATTENTION_CHECKS,
    CELL_CHECKS,
    ENCODER_CHECKS,
    AttentionSubject,
    CellSubject,
    DoesNotApply,
    EncoderSubject,
)

CELL_OPTIONS = [("lstm", {"forget_bias": 0.0}), ("rnn", {"nonlinearity": "relu"})]
ATTENTION_OPTIONS = [("additive", {"normed": True}), ("multi_head", {"heads": 1})]
ENCODER_OPTIONS = [
    ("recurrent", {"hidden_size": 10, "layers": 2, "directions": "first"}),
    ("recurrent", {"cell": "gru", "hidden_size": 12, "residual": True}),
]
EVERY_ENCODER = [*((name, {}) for name in ENCODERS.names() if name != "recurrent"), *ENCODER_OPTIONS]
EVERY_CELL = [*((name, {}) for name in CELLS.names()), *CELL_OPTIONS]
EVERY_ATTENTION = [*((name, {}) for name in ATTENTIONS.names()), *ATTENTION_OPTIONS]


def label(value) -> str:
    """Return the name of a part with its options, or of a check."""
    if isinstance(value, tuple):
        return "-".join([value[0], *(f"{key}={option}" for key, option in value[1].items())])
    return value.__name__


def run(check, subject) -> None:
    try:
        assert check(subject)
    except DoesNotApply as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("check", CELL_CHECKS, ids=label)
@pytest.mark.parametrize("variant", EVERY_CELL, ids=label)
def test_every_cell_passes(variant, check) -> None:
    name, options = variant
    run(check, CellSubject(CELLS.get(name), options))


@pytest.mark.parametrize("check", ATTENTION_CHECKS, ids=label)
@pytest.mark.parametrize("variant", EVERY_ATTENTION, ids=label)
def test_every_attention_passes(variant, check) -> None:
    name, options = variant
    run(check, AttentionSubject(ATTENTIONS.get(name), options))


@pytest.mark.parametrize("check", ENCODER_CHECKS, ids=label)
@pytest.mark.parametrize("variant", EVERY_ENCODER, ids=label)
def test_every_encoder_passes(variant, check) -> None:
    name, options = variant
    run(check, EncoderSubject(ENCODERS.get(name), options))


def test_the_built_in_parts_are_among_them() -> None:
    assert "recurrent" in ENCODERS.names()
    assert {"lstm", "gru", "rnn"} <= set(CELLS.names())
    assert {"dot", "bilinear", "additive", "multi_head", "none"} <= set(ATTENTIONS.names())
