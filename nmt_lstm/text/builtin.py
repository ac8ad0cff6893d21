"""Where the built-in corpus lies: in the installed package, or beside it in a working copy."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.errors import DataError

__all__ = ["builtin_corpus_folder"]

PACKAGE = Path(__file__).resolve().parent.parent


def builtin_corpus_folder() -> Path:
    """Return the folder of the built-in English-Japanese corpus.

    Raises:
        DataError: this installation lacks it.
    """
    places = (PACKAGE / "corpora" / "builtin_enja", PACKAGE.parent / "data" / "builtin_enja")
    for place in places:
        if (place / "train.en").exists():
            return place
    raise DataError(f"The built-in corpus is not in '{places[0]}'. Install nmt-lstm again.")
