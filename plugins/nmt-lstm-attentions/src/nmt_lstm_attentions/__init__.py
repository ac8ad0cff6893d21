"""Attentions of the literature as attentions of nmt-lstm."""

from nmt_lstm_attentions.coverage import CoverageAttention
from nmt_lstm_attentions.entmax import EntmaxAttention
from nmt_lstm_attentions.local import LocalAttention
from nmt_lstm_attentions.location import LocationAttention
from nmt_lstm_attentions.monotonic import MonotonicAttention

__all__ = [
    "CoverageAttention",
    "EntmaxAttention",
    "LocalAttention",
    "LocationAttention",
    "MonotonicAttention",
]
