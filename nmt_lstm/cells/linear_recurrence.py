"""Former location of `nmt_lstm.recurrence.linear_scan`, kept for plugins until version 0.2; import from `nmt_lstm`."""

from nmt_lstm.recurrence.linear_scan import linear_recurrence as linear_recurrence
