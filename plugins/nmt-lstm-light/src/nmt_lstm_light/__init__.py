"""Light recurrent cells as cells of nmt-lstm."""

from nmt_lstm_light.atr import ATR
from nmt_lstm_light.lrn import LRN
from nmt_lstm_light.min_gru import MinGRU
from nmt_lstm_light.min_lstm import MinLSTM
from nmt_lstm_light.qrnn import QRNN
from nmt_lstm_light.ssru import SSRU

__all__ = ["ATR", "LRN", "QRNN", "SSRU", "MinGRU", "MinLSTM"]
