"""The former name of `nmt_lstm.recurrence.recurrence`, kept until version 0.2 for plugins that use them."""

from nmt_lstm.recurrence.recurrence import Recurrence as Recurrence
from nmt_lstm.recurrence.recurrence import Tensors as Tensors
from nmt_lstm.recurrence.recurrence import Update as Update
