"""The former name of `nmt_lstm.recurrence.linear_scan`, for plugins written before version 0.2."""

from nmt_lstm.recurrence.linear_scan import linear_recurrence as linear_recurrence
