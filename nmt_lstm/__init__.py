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
    from nmt_lstm.batching.batch import Batch as Batch
    from nmt_lstm.batching.batch import collate as collate
    from nmt_lstm.batching.batch import source_batch as source_batch
    from nmt_lstm.cells.cell import Cell as Cell
    from nmt_lstm.cells.cell import State as State
    from nmt_lstm.cells.cell import check_sequence as check_sequence
    from nmt_lstm.cells.cell_wrapper import CellWrapper as CellWrapper
    from nmt_lstm.cells.gate_record import GateRecord as GateRecord
    from nmt_lstm.cells.gate_record import record_gates as record_gates
    from nmt_lstm.cells.gated_cell import GatedCell as GatedCell
    from nmt_lstm.cells.gru import GRU as GRU
    from nmt_lstm.cells.linear_cell import LinearCell as LinearCell
    from nmt_lstm.cells.lstm import LSTM as LSTM
    from nmt_lstm.cells.rnn import RNN as RNN
    from nmt_lstm.cells.stepwise_cell import Products as Products
    from nmt_lstm.cells.stepwise_cell import StepwiseCell as StepwiseCell
    from nmt_lstm.checkpoint.model_folder import ModelFolder as ModelFolder
    from nmt_lstm.config.load import load_run as load_run
    from nmt_lstm.config.schema import RunSettings as RunSettings
    from nmt_lstm.config.schema import SearchSettings as SearchSettings
    from nmt_lstm.corpora.builtin import builtin_corpus_folder as builtin_corpus_folder
    from nmt_lstm.encoders.encoder import Encoded as Encoded
    from nmt_lstm.encoders.encoder import Encoder as Encoder
    from nmt_lstm.encoders.encoder import token_mean as token_mean
    from nmt_lstm.encoders.recurrent import RecurrentEncoder as RecurrentEncoder
    from nmt_lstm.errors import NmtLstmError as NmtLstmError
    from nmt_lstm.errors import PluginError as PluginError
    from nmt_lstm.evaluation.scores import corpus_scores as corpus_scores
    from nmt_lstm.inference.batch_translator import BatchTranslator as BatchTranslator
    from nmt_lstm.inference.exported import write_exported as write_exported
    from nmt_lstm.inference.forecaster import Forecaster as Forecaster
    from nmt_lstm.inference.generated_text import Continuation as Continuation
    from nmt_lstm.inference.generated_text import GeneratedText as GeneratedText
    from nmt_lstm.inference.generated_text import ScoredText as ScoredText
    from nmt_lstm.inference.nbest_lists import NBestList as NBestList
    from nmt_lstm.inference.requests import TranslationRequest as TranslationRequest
    from nmt_lstm.inference.rescoring import Rescorer as Rescorer
    from nmt_lstm.inference.rescoring import RescoringWeights as RescoringWeights
    from nmt_lstm.inference.rescoring_models import load_rescorer as load_rescorer
    from nmt_lstm.inference.text_classifier import Classification as Classification
    from nmt_lstm.inference.text_classifier import TextClassifier as TextClassifier
    from nmt_lstm.inference.text_model import LanguageModel as LanguageModel
    from nmt_lstm.inference.text_options import TextOptions as TextOptions
    from nmt_lstm.inference.translation import Hypothesis as Hypothesis
    from nmt_lstm.inference.translation import ScoredTranslation as ScoredTranslation
    from nmt_lstm.inference.translation import Translation as Translation
    from nmt_lstm.inference.translation import Unmet as Unmet
    from nmt_lstm.inference.translator import Translator as Translator
    from nmt_lstm.lab.inspection.gradient_flow import inspect_gradients as inspect_gradients
    from nmt_lstm.lab.inspection.gradient_trace import GradientTrace as GradientTrace
    from nmt_lstm.lab.inspection.inspection import inspect as inspect
    from nmt_lstm.lab.inspection.trace import Trace as Trace
    from nmt_lstm.lab.leaderboard.board import Leaderboard as Leaderboard
    from nmt_lstm.model.build import build_model as build_model
    from nmt_lstm.model.seq2seq import Seq2Seq as Seq2Seq
    from nmt_lstm.model.seq2seq import Step as Step
    from nmt_lstm.numerics.batched_product import batched_product as batched_product
    from nmt_lstm.numerics.linear import linear as linear
    from nmt_lstm.numerics.pointwise import sigmoid as sigmoid
    from nmt_lstm.numerics.sequence_linear import Linear as Linear
    from nmt_lstm.numerics.sequence_linear import sequence_linear as sequence_linear
    from nmt_lstm.recurrence.linear_scan import linear_recurrence as linear_recurrence
    from nmt_lstm.recurrence.recurrence import Recurrence as Recurrence
    from nmt_lstm.recurrence.recurrence import Update as Update
    from nmt_lstm.recurrence.with_parameters import with_parameters as with_parameters
    from nmt_lstm.registry import ATTENTIONS as ATTENTIONS
    from nmt_lstm.registry import CELLS as CELLS
    from nmt_lstm.registry import ENCODERS as ENCODERS
    from nmt_lstm.text.preparation import prepare as prepare
    from nmt_lstm.text.text_file import read_lines as read_lines
    from nmt_lstm.training.data_module import TranslationDataModule as TranslationDataModule
    from nmt_lstm.training.fit import fit as fit
    from nmt_lstm.training.model_writer import save_model as save_model
    from nmt_lstm.training.module import TranslationModule as TranslationModule

__version__ = "0.1.0"

_NAMES_OF_MODULE = {
    "nmt_lstm.attention.attention": ("Attended", "Attention", "Memory", "masked_softmax"),
    "nmt_lstm.batching.batch": ("Batch", "collate", "source_batch"),
    "nmt_lstm.cells.cell": ("Cell", "State", "check_sequence"),
    "nmt_lstm.cells.cell_wrapper": ("CellWrapper",),
    "nmt_lstm.cells.gate_record": ("GateRecord", "record_gates"),
    "nmt_lstm.cells.gated_cell": ("GatedCell",),
    "nmt_lstm.cells.gru": ("GRU",),
    "nmt_lstm.cells.linear_cell": ("LinearCell",),
    "nmt_lstm.cells.lstm": ("LSTM",),
    "nmt_lstm.cells.rnn": ("RNN",),
    "nmt_lstm.cells.stepwise_cell": ("Products", "StepwiseCell"),
    "nmt_lstm.checkpoint.model_folder": ("ModelFolder",),
    "nmt_lstm.config.load": ("load_run",),
    "nmt_lstm.config.schema": ("RunSettings", "SearchSettings"),
    "nmt_lstm.corpora.builtin": ("builtin_corpus_folder",),
    "nmt_lstm.encoders.encoder": ("Encoded", "Encoder", "token_mean"),
    "nmt_lstm.encoders.recurrent": ("RecurrentEncoder",),
    "nmt_lstm.errors": ("NmtLstmError", "PluginError"),
    "nmt_lstm.evaluation.scores": ("corpus_scores",),
    "nmt_lstm.inference.batch_translator": ("BatchTranslator",),
    "nmt_lstm.inference.exported": ("write_exported",),
    "nmt_lstm.inference.forecaster": ("Forecaster",),
    "nmt_lstm.inference.nbest_lists": ("NBestList",),
    "nmt_lstm.inference.requests": ("TranslationRequest",),
    "nmt_lstm.inference.rescoring": ("Rescorer", "RescoringWeights"),
    "nmt_lstm.inference.rescoring_models": ("load_rescorer",),
    "nmt_lstm.inference.generated_text": ("Continuation", "GeneratedText", "ScoredText"),
    "nmt_lstm.inference.text_model": ("LanguageModel",),
    "nmt_lstm.inference.text_options": ("TextOptions",),
    "nmt_lstm.inference.text_classifier": ("Classification", "TextClassifier"),
    "nmt_lstm.inference.translation": ("Hypothesis", "ScoredTranslation", "Translation", "Unmet"),
    "nmt_lstm.inference.translator": ("Translator",),
    "nmt_lstm.lab.inspection.gradient_flow": ("inspect_gradients",),
    "nmt_lstm.lab.inspection.gradient_trace": ("GradientTrace",),
    "nmt_lstm.lab.inspection.inspection": ("inspect",),
    "nmt_lstm.lab.inspection.trace": ("Trace",),
    "nmt_lstm.lab.leaderboard.board": ("Leaderboard",),
    "nmt_lstm.model.build": ("build_model",),
    "nmt_lstm.model.seq2seq": ("Seq2Seq", "Step"),
    "nmt_lstm.numerics.batched_product": ("batched_product",),
    "nmt_lstm.numerics.linear": ("linear",),
    "nmt_lstm.numerics.pointwise": ("sigmoid",),
    "nmt_lstm.numerics.sequence_linear": ("Linear", "sequence_linear"),
    "nmt_lstm.recurrence.linear_scan": ("linear_recurrence",),
    "nmt_lstm.recurrence.recurrence": ("Recurrence", "Update"),
    "nmt_lstm.recurrence.with_parameters": ("with_parameters",),
    "nmt_lstm.registry": ("ATTENTIONS", "CELLS", "ENCODERS"),
    "nmt_lstm.text.text_file": ("read_lines",),
    "nmt_lstm.text.preparation": ("prepare",),
    "nmt_lstm.training.data_module": ("TranslationDataModule",),
    "nmt_lstm.training.fit": ("fit",),
    "nmt_lstm.training.module": ("TranslationModule",),
    "nmt_lstm.training.model_writer": ("save_model",),
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULE.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE_OF_NAME)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module 'nmt_lstm' has no attribute '{name}'")
    value = getattr(importlib.import_module(_MODULE_OF_NAME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF_NAME])
