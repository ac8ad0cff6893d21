"""The former name of `nmt_lstm.recurrence.linear_scan`, kept until version 0.2 for plugins that use them."""

from nmt_lstm.recurrence.linear_scan import linear_recurrence as linear_recurrence
