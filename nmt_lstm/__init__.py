"""Neural machine translation with recurrent networks: train, translate, evaluate, and bring your own cell.

Importing this package is cheap: each public name is imported from its module when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt_lstm.attention.attention import Attended as Attended
    from nmt_lstm.attention.attention import Attention as Attention
    from nmt_lstm.attention.attention import Memory as Memory
    from nmt_lstm.attention.attention import masked_softmax as masked_softmax
    from nmt_lstm.cells.cell import Cell as Cell
    from nmt_lstm.cells.cell import check_sequence as check_sequence
    from nmt_lstm.cells.gate_record import GateRecord as GateRecord
    from nmt_lstm.cells.gate_record import record_gates as record_gates
    from nmt_lstm.cells.gated_cell import GatedCell as GatedCell
    from nmt_lstm.cells.linear_cell import LinearCell as LinearCell
    from nmt_lstm.cells.stepwise_cell import StepwiseCell as StepwiseCell
    from nmt_lstm.config.load import load_run as load_run
    from nmt_lstm.config.schema import RunSettings as RunSettings
    from nmt_lstm.errors import NmtLstmError as NmtLstmError
    from nmt_lstm.inference.translation import Hypothesis as Hypothesis
    from nmt_lstm.inference.translation import ScoredTranslation as ScoredTranslation
    from nmt_lstm.inference.translation import Translation as Translation
    from nmt_lstm.inference.translator import Translator as Translator
    from nmt_lstm.lab.inspection.inspection import inspect as inspect
    from nmt_lstm.lab.inspection.trace import Trace as Trace
    from nmt_lstm.lab.leaderboard.board import Leaderboard as Leaderboard
    from nmt_lstm.model.build import build_model as build_model
    from nmt_lstm.model.seq2seq import Seq2Seq as Seq2Seq
    from nmt_lstm.model.seq2seq import Step as Step
    from nmt_lstm.numerics.batched_product import batched_product as batched_product
    from nmt_lstm.numerics.sequence_linear import Linear as Linear
    from nmt_lstm.registry import ATTENTIONS as ATTENTIONS
    from nmt_lstm.registry import CELLS as CELLS
    from nmt_lstm.training.data_module import TranslationDataModule as TranslationDataModule
    from nmt_lstm.training.fit import fit as fit
    from nmt_lstm.training.module import TranslationModule as TranslationModule
    from nmt_lstm.training.saving import save_model as save_model

__version__ = "0.1.0"

_MODULE_OF_NAME = {
    "ATTENTIONS": "nmt_lstm.registry",
    "Attended": "nmt_lstm.attention.attention",
    "Attention": "nmt_lstm.attention.attention",
    "CELLS": "nmt_lstm.registry",
    "Cell": "nmt_lstm.cells.cell",
    "GateRecord": "nmt_lstm.cells.gate_record",
    "GatedCell": "nmt_lstm.cells.gated_cell",
    "Hypothesis": "nmt_lstm.inference.translation",
    "Leaderboard": "nmt_lstm.lab.leaderboard.board",
    "Linear": "nmt_lstm.numerics.sequence_linear",
    "LinearCell": "nmt_lstm.cells.linear_cell",
    "Memory": "nmt_lstm.attention.attention",
    "NmtLstmError": "nmt_lstm.errors",
    "RunSettings": "nmt_lstm.config.schema",
    "ScoredTranslation": "nmt_lstm.inference.translation",
    "Seq2Seq": "nmt_lstm.model.seq2seq",
    "Step": "nmt_lstm.model.seq2seq",
    "StepwiseCell": "nmt_lstm.cells.stepwise_cell",
    "Trace": "nmt_lstm.lab.inspection.trace",
    "Translation": "nmt_lstm.inference.translation",
    "TranslationDataModule": "nmt_lstm.training.data_module",
    "TranslationModule": "nmt_lstm.training.module",
    "Translator": "nmt_lstm.inference.translator",
    "batched_product": "nmt_lstm.numerics.batched_product",
    "build_model": "nmt_lstm.model.build",
    "check_sequence": "nmt_lstm.cells.cell",
    "fit": "nmt_lstm.training.fit",
    "inspect": "nmt_lstm.lab.inspection.inspection",
    "load_run": "nmt_lstm.config.load",
    "masked_softmax": "nmt_lstm.attention.attention",
    "record_gates": "nmt_lstm.cells.gate_record",
    "save_model": "nmt_lstm.training.saving",
}

__all__ = ["__version__", *_MODULE_OF_NAME]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module 'nmt_lstm' has no attribute '{name}'")
    value = getattr(importlib.import_module(_MODULE_OF_NAME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF_NAME])
