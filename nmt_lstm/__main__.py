"""The command line as ``python -m nmt_lstm``."""

from __future__ import annotations

from nmt_lstm.cli.app import main

main()
