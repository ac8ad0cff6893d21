"""Former location of `nmt_lstm.recurrence.with_parameters`, kept for plugins until version 0.2; import from `nmt_lstm`."""

from nmt_lstm.recurrence.with_parameters import with_parameters as with_parameters
