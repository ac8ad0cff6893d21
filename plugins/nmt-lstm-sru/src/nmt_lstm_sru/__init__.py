"""The simple recurrent unit (Lei et al. 2018) as a cell of nmt-lstm."""

from nmt_lstm_sru.sru import SRU

__all__ = ["SRU"]
