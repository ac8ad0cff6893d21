"""The former name of `nmt_lstm.recurrence.replaced`, for plugins written before version 0.2."""

from nmt_lstm.recurrence.replaced import with_parameters as with_parameters
