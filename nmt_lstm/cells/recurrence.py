"""Former location of `nmt_lstm.recurrence.recurrence`, kept for plugins until version 0.2; import from `nmt_lstm`."""

from nmt_lstm.recurrence.recurrence import Recurrence as Recurrence
from nmt_lstm.recurrence.recurrence import Tensors as Tensors
from nmt_lstm.recurrence.recurrence import Update as Update
