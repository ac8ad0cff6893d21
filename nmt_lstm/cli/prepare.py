"""``nmt-lstm prepare``: read, clean and cut the text of a run file into pieces, once."""

from __future__ import annotations

from nmt_lstm.cli.arguments import Overrides, RunFile
from nmt_lstm.cli.messages import note

__all__ = ["prepare"]

EXAMPLE = """\b
Example:
  nmt-lstm prepare data/multi30k/de-en.toml"""


def prepare(run_file: RunFile, overrides: Overrides = None) -> None:
    """Read, clean and cut the training text into subword pieces.

    'train' does this by itself; do it alone to see what is left out, or before training on many machines.
    Text that has not changed is found again and not prepared twice.
    """
    from nmt_lstm.cli.preparation_report import describe
    from nmt_lstm.config.load import load_run
    from nmt_lstm.text.preparation import prepare as prepare_text

    run = load_run(run_file, overrides or [])
    prepared = prepare_text(run)
    note(describe(prepared))
    note(f"\nNext: nmt-lstm train {run_file}")
