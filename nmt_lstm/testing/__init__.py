"""The conformance kit for authors of cells, attentions and encoders: checks of everything that the framework relies on."""

from __future__ import annotations

from nmt_lstm.testing.conformance import (
    ATTENTION_CHECKS,
    CELL_CHECKS,
    ENCODER_CHECKS,
    Result,
    check_attention,
    check_cell,
    check_encoder,
)
from nmt_lstm.testing.decorators import attention_conformance, cell_conformance, encoder_conformance
from nmt_lstm.testing.failure import ConformanceFailure, DoesNotApply, NotChecked
from nmt_lstm.testing.subject import AttentionSubject, CellSubject, EncoderSubject

__all__ = [
    "ATTENTION_CHECKS",
    "CELL_CHECKS",
    "ENCODER_CHECKS",
    "AttentionSubject",
    "CellSubject",
    "ConformanceFailure",
    "DoesNotApply",
    "EncoderSubject",
    "NotChecked",
    "Result",
    "attention_conformance",
    "cell_conformance",
    "check_attention",
    "check_cell",
    "check_encoder",
    "encoder_conformance",
]
