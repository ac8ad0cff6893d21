"""Cells with exponential gates (Beck et al. 2024) as cells of nmt-lstm."""

from nmt_lstm_exponential.mlstm import MLSTM
from nmt_lstm_exponential.slstm import SLSTM

__all__ = ["MLSTM", "SLSTM"]
