"""Marian's vocabularies: SentencePiece models, numbered words in YAML or JSON, and lists of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.text_files import read_list, read_words_yaml
from nmt_lstm.importing.vocabularies import (
    ImportedVocabulary,
    SpecialRows,
    listed,
    read_model,
    splitting_notes,
    with_model,
)
from nmt_lstm.text.piece_records import piece_records

__all__ = ["find_vocabularies", "marian_vocabulary"]

END, UNKNOWN = "</s>", "<unk>"
# Of vocabularies that Marian writes besides SentencePiece's, and most names in a message.
SUFFIXES = (".yml", ".yaml", ".json", ".txt", ".model")
MAX_NAMES = 5


def find_vocabularies(model: Path, options: Mapping[Any, Any], given: Sequence[Path]) -> tuple[Path, Path]:
    """Return the files with the vocabularies of source and target.

    Args:
        model: the model.
        options: of Marian's configuration for decoding, which names them.
        given: those that the user named.

    Raises:
        DamagedSourceError: there are none.
    """
    named = options.get("vocabs")
    paths = list(given) or [Path(str(name)) for name in (named if isinstance(named, list) else [])]
    if not paths:
        raise DamagedSourceError(
            f"the vocabularies of '{model}' are unknown: name them with --vocabulary, once for both sides, or for source and "
            f"target.{_beside(model)}",
            path=model,
        )
    found = []
    for path in (paths[0], paths[-1]):
        # The files may have moved since, with the model.
        beside = model.parent / path.name
        found.append(path if path.exists() or path in given else beside)
    return found[0], found[1]


def _beside(model: Path) -> str:
    """Return a sentence with the files beside a model that may be its vocabularies."""
    names = sorted(
        file.name
        for file in model.parent.iterdir()
        if file.suffix == ".spm" or (file.name.startswith("vocab") and file.suffix in SUFFIXES)
    )
    files = ", ".join(names[:MAX_NAMES]) + ", ..." * (len(names) > MAX_NAMES)
    return f" Files beside it that look like vocabularies: {files}." if names else ""


def marian_vocabulary(path: Path, rows: int, side: str) -> tuple[ImportedVocabulary, list[str]]:
    """Return a vocabulary, and what a user must know about it.

    Args:
        path: its file.
        rows: number of embeddings, which may be smaller than the vocabulary.
        side: "source" or "target".

    Raises:
        DamagedSourceError: it cannot be read, or lacks the end of a sentence or the unknown word.
    """
    if path.suffix in (".spm", ".model"):
        model = read_model(path)
        tokens = [piece.text for piece in piece_records(model)]
        vocabulary = with_model(model, tokens[:rows], _special(tokens, path))
        return vocabulary, []
    is_yaml = path.suffix in (".yml", ".yaml", ".json")
    words = _numbered(path) if is_yaml else dict(enumerate(read_list(path)))
    tokens = [words.get(row, f"<row{row}>") for row in range(rows)]
    vocabulary = listed(tokens, _special(tokens, path))
    notes = splitting_notes(side, vocabulary, tokens)
    if len(words) != rows:
        notes.append(
            f"the {side} vocabulary has {len(words):,} words and the model {rows:,}; make sure that they belong together."
        )
    return vocabulary, notes


def _numbered(path: Path) -> dict[int, str]:
    words = {}
    for word, number in read_words_yaml(path).items():
        if not number.isdecimal():
            raise DamagedSourceError(
                f"'{path}': '{word}' has the number '{number}'.", path=path, value=number
            )
        words[int(number)] = word
    return words


def _special(tokens: Sequence[str], path: Path) -> SpecialRows:
    missing = [name for name in (END, UNKNOWN) if name not in tokens]
    if missing:
        raise DamagedSourceError(
            f"the vocabulary '{path}' has no {' and '.join(missing)}.", path=path, value=missing
        )
    # Marian begins translations with zeros instead of a piece.
    return SpecialRows(unknown=tokens.index(UNKNOWN), end=tokens.index(END))
