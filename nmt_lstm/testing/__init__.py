"""The conformance kit for authors of cells and attentions: checks of everything that the framework relies on."""

from __future__ import annotations

from nmt_lstm.testing.conformance import ATTENTION_CHECKS, CELL_CHECKS, Result, check_attention, check_cell
from nmt_lstm.testing.decorators import attention_conformance, cell_conformance
from nmt_lstm.testing.failure import ConformanceFailure, DoesNotApply, NotChecked
from nmt_lstm.testing.subject import AttentionSubject, CellSubject

__all__ = [
    "ATTENTION_CHECKS",
    "CELL_CHECKS",
    "AttentionSubject",
    "CellSubject",
    "ConformanceFailure",
    "DoesNotApply",
    "NotChecked",
    "Result",
    "attention_conformance",
    "cell_conformance",
    "check_attention",
    "check_cell",
]
