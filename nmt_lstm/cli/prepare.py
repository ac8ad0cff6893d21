"""``nmt-lstm prepare``: read, clean and cut the text of a run file into pieces, once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.arguments import Overrides, RunFile
from nmt_lstm.cli.messages import note, quoted

if TYPE_CHECKING:
    from nmt_lstm.text.preparation import Prepared

__all__ = ["prepare"]

EXAMPLE = """\b
Example:
  nmt-lstm prepare data/multi30k/de-en.toml"""


def prepare(run_file: RunFile, overrides: Overrides = None) -> None:
    """Read, clean and cut the training text into subword pieces.

    'train' does this by itself; do it alone to see what is left out, or before training on many machines.
    Text that has not changed is found again and not prepared twice.
    """
    from nmt_lstm.config.load import load_run
    from nmt_lstm.text.held_out import with_validation_text
    from nmt_lstm.text.preparation import prepare as prepare_text

    run = load_run(run_file, overrides or [])
    # What is prepared is found again by the content of the validation text; the text itself belongs to each run.
    with tempfile.TemporaryDirectory() as folder:
        run, held = with_validation_text(run, Path(folder), reuse=False)
        if held is not None:
            note(held.describe(place=False))
            held.write()
        note(description(prepare_text(run, note)))
    note(f"\nTrain on it:\n  nmt-lstm train {quoted(run_file)}")


def description(prepared: Prepared) -> str:
    """Return what was read, left out and written, in lines for a person."""
    subwords, store = prepared.subwords, prepared.train
    if subwords.joint:
        vocabulary = f"{subwords.source.size:,} subword pieces shared by both languages"
    else:
        vocabulary = f"{subwords.source.size:,} source and {subwords.target.size:,} target subword pieces"
    lines = [
        prepared.report.describe(),
        f"{len(prepared.valid_source):,} validation pairs",
        vocabulary,
        f"{store.source.lengths.sum():,} source and {store.target.lengths.sum():,} target pieces of training text",
        f"{'Found' if prepared.reused else 'Written'} in {prepared.folder}"
        + (": neither text nor settings have changed" if prepared.reused else ""),
    ]
    return "\n".join(lines)
