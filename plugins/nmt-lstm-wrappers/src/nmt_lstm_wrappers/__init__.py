"""Wrappers of any recurrent cell as cells of nmt-lstm."""

from nmt_lstm_wrappers.recurrent_dropout import RecurrentDropout
from nmt_lstm_wrappers.residual import Residual
from nmt_lstm_wrappers.weight_drop import WeightDrop
from nmt_lstm_wrappers.wrapper import Wrapper
from nmt_lstm_wrappers.zoneout import Zoneout

__all__ = ["RecurrentDropout", "Residual", "WeightDrop", "Wrapper", "Zoneout"]
