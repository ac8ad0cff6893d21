"""Gated recurrent cells of the literature as cells of nmt-lstm."""

from nmt_lstm_gated.coupled_lstm import CoupledLSTM
from nmt_lstm_gated.ind_rnn import IndRNN
from nmt_lstm_gated.irnn import IRNN
from nmt_lstm_gated.layer_norm_gru import LayerNormGRU
from nmt_lstm_gated.layer_norm_lstm import LayerNormLSTM
from nmt_lstm_gated.minimal_gated_unit import MinimalGatedUnit
from nmt_lstm_gated.multiplicative_lstm import MultiplicativeLSTM
from nmt_lstm_gated.peephole_lstm import PeepholeLSTM

__all__ = [
    "IRNN",
    "CoupledLSTM",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "MinimalGatedUnit",
    "MultiplicativeLSTM",
    "PeepholeLSTM",
]
