"""The former name of `nmt_lstm.recurrence.replaced`, kept until version 0.2 for plugins that use them."""

from nmt_lstm.recurrence.replaced import with_parameters as with_parameters
