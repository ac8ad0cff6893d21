"""``nmt-lstm prepare``: clean the training text of a run file and split it into pieces."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.arguments import Overrides, RunFile
from nmt_lstm.cli.messages import note, quoted

if TYPE_CHECKING:
    from nmt_lstm.text.preparation import Prepared

__all__ = ["prepare"]

EPILOG = """\b
Example:
  nmt-lstm prepare data/multi30k/de-en.toml"""


def prepare(run_file: RunFile, overrides: Overrides = None) -> None:
    """Clean the training text and split it into pieces.

    'train' does this itself. Use 'prepare' to see what cleaning removes, or before training on many machines.
    The result is cached until the text or the settings change.
    """
    from nmt_lstm.config.load import load_run
    from nmt_lstm.corpora.builtin import with_builtin_pieces
    from nmt_lstm.text.held_out import with_validation_text
    from nmt_lstm.text.preparation import prepare as prepare_text

    run = load_run(run_file, overrides or [])
    # The cache depends on the content of the held-out text, not on its path: each run has its own copy.
    with tempfile.TemporaryDirectory() as folder:
        run, held_out = with_validation_text(run, Path(folder), reuse=False)
        if held_out is not None:
            note(held_out.describe(with_folder=False))
            held_out.write()
        note(description(prepare_text(with_builtin_pieces(run), note)))
    note(f"\nTo train on it:\n  nmt-lstm train {quoted(run_file)}")


def description(prepared: Prepared) -> str:
    """Return lines that say what was read, removed and written."""
    subwords, store = prepared.subwords, prepared.train
    from nmt_lstm.config.piece_kinds import PIECE_KINDS

    plural = PIECE_KINDS[prepared.kind].plural
    if subwords.joint:
        vocabulary = f"{subwords.source.size:,} {plural} shared by both languages"
    else:
        vocabulary = f"{subwords.source.size:,} source and {subwords.target.size:,} target {plural}"
    lines = [
        prepared.report.describe(),
        f"{len(prepared.valid_source):,} validation pairs",
        vocabulary,
        f"{store.source.lengths.sum():,} source and {store.target.lengths.sum():,} target pieces of training text",
        f"Cached in {prepared.folder}: neither text nor settings have changed"
        if prepared.reused
        else f"Written to {prepared.folder}",
    ]
    return "\n".join(lines)
