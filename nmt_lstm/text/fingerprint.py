"""The fingerprint of prepared text: equal for the same text and the same settings that affect it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.config.text_schema import CorpusSettings, ParallelSettings
from nmt_lstm.text.columns import split_column
from nmt_lstm.text.subwords import Subwords, read_subwords
from nmt_lstm.text.text_file import read_blocks
from nmt_lstm.text.vocabulary_sample import max_sample_characters

__all__ = ["Fingerprints", "fingerprints_of"]

# Incremented when the same text and settings would have a different result.
VERSION = 2
# Settings of subwords that change nothing in the prepared text by themselves, and later ones with what there was before.
UNPREPARED = ("sampling", "model")
LATER = {"normalise_invisible": False, "user_defined_symbols": [], "casing": "as-is"}


class Fingerprints(NamedTuple):
    """The fingerprint of a text, and the one that earlier versions gave it, which had a different vocabulary."""

    current: str
    earlier: str
    """Equal to the current one, unless the text is long."""
    texts: tuple[tuple[str, str], ...]
    """The files of each side, as they are named, and the digest of their content; a side may be the same in two texts."""


def fingerprints_of(data: DataSettings, subwords: SubwordSettings) -> Fingerprints:
    """Return the fingerprints, in hexadecimal.

    They depend neither on where files are, nor on their compression, nor on how a side is divided into files.

    Raises:
        DataError: a file cannot be read.
    """
    corpora, sets = data.training_corpora(), data.validation_sets()
    settings = {
        "version": VERSION,
        "cleaning": data.cleaning.model_dump(mode="json"),
        "subwords": subwords.model_dump(mode="json", exclude={*UNPREPARED, *LATER}),
        # Included only if they are set, so that text prepared before these settings existed is still found.
        **(
            {"model": _digests(read_subwords(subwords.model, subwords, paired=data.is_paired))}
            if subwords.model
            else {}
        ),
        **{name: value for name, before in LATER.items() if (value := getattr(subwords, name)) != before},
        **({"targets": data.targets} if data.targets != "text" else {}),
        **({"exclude_validation": True} if data.exclude_validation else {}),
        **_texts("corpora", [{**_text(corpus), **_rules(corpus, data)} for corpus in corpora]),
        **({"stream": True} if data.stream else {}),
        **_texts("validation", [_text(each) for each in sets]),
    }
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=16)
    characters, texts = 0, list[tuple[str, str]]()
    for text in (*corpora, *sets):
        for side in text.sides():
            if side is None:
                digest.update(b"no target")
                continue
            content = hashlib.blake2b(digest_size=16)
            for block in _blocks(side):
                content.update(block)
                characters += _characters(block)
            digest.update(content.digest())
            texts.append((" + ".join(map(str, side)), content.hexdigest()))
    earlier = digest.hexdigest()
    most = max_sample_characters(subwords.kind)
    if characters > most and subwords.model is None and subwords.kind != "byte":
        # Earlier versions learnt the vocabulary of so long a text from a larger part of it.
        digest.update(f"sample of {most} characters".encode())
    return Fingerprints(digest.hexdigest(), earlier, tuple(texts))


def _characters(block: bytes) -> int:
    """Return the number of characters of UTF-8 text: of bytes that do not continue one."""
    return int(np.count_nonzero(np.frombuffer(block, np.int8) >= -64))


def _digests(subwords: Subwords) -> list[str]:
    return [subwords.source.fingerprint, subwords.target.fingerprint]


def _texts(key: str, texts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is special about texts under a key; nothing for one text without anything special."""
    return {key: list(texts)} if len(texts) != 1 or any(texts) else {}


def _text(text: ParallelSettings) -> dict[str, Any]:
    columns = [[split_column(path)[1] for path in side or ()] for side in text.sides()]
    has_columns = any(column is not None for side in columns for column in side)
    return {**({"tag": text.tag} if text.tag else {}), **({"columns": columns} if has_columns else {})}


def _rules(corpus: CorpusSettings, data: DataSettings) -> dict[str, Any]:
    rules = corpus.rules(data.cleaning)
    return {} if rules == data.cleaning else {"cleaning": rules.model_dump(mode="json")}


def _blocks(side: Iterable[Path]) -> Iterator[bytes]:
    """Yield the content of files as that of one file: a line end that a file lacks at its end is added."""
    last = b"\n"
    for path in side:
        if last != b"\n":
            yield b"\n"
        for block in read_blocks(path):
            yield block
            last = block[-1:]
