"""The former name of `nmt_lstm.recurrence.recurrence`, for plugins written before version 0.2."""

from nmt_lstm.recurrence.recurrence import Recurrence as Recurrence
from nmt_lstm.recurrence.recurrence import Tensors as Tensors
from nmt_lstm.recurrence.recurrence import Update as Update
