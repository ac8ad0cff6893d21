"""The command line as ``python -m nmt_lstm``."""

from __future__ import annotations

import sys

from nmt_lstm.cli.app import main

sys.exit(main())
