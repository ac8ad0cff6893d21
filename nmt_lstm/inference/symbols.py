"""Symbols that a model copies or translates, replaced by what they stand for: which one is which, the attention says."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.inference.piece_offsets import piece_solids
from nmt_lstm.inference.translation import Hypothesis, Translation
from nmt_lstm.text.marked_text import solid_length
from nmt_lstm.text.phrases import phrase_spans
from nmt_lstm.text.special_pieces import UNKNOWN
from nmt_lstm.text.subwords import Subwords

__all__ = ["Symbol", "without_symbols"]


class Symbol(NamedTuple):
    """What the model reads in place of a part that is kept, and what it writes for it."""

    source: str
    target: str

    @classmethod
    def of(cls, text: str, subwords: Subwords) -> Symbol:
        """Return a symbol that a model copies, or a word and its translation, as in ``Emi=エミ``.

        Args:
            text: a user-defined symbol of the model, or a pair.
            subwords: the vocabularies of the model.

        Raises:
            ConfigurationError: it is neither, or the model cannot read or write a word of the pair.
        """
        known = [symbol for symbol in subwords.source.symbols if symbol in subwords.target.symbols]
        if text in known:  # even if it has a =
            return cls(text, text)
        words = [word.strip() for word in text.split("=")]
        if len(words) == 1:
            has = f"has {', '.join(known[:20])}" if known else "has none"
            raise ConfigurationError(
                f"keep_as is '{text}', which is not a user-defined symbol of the model (it {has}).{nearest(text, known)} Use a "
                f"frequent word and its translation, such as Emi=エミ.",
                key="keep_as",
                value=text,
                known=known,
            )
        if len(words) != 2 or not all(words):
            raise ConfigurationError(
                f"keep_as is '{text}', but must be one word, = and its translation, such as Emi=エミ.",
                key="keep_as",
                value=text,
            )
        symbol = cls(*words)
        symbol.check(subwords)
        return symbol

    def check(self, subwords: Subwords) -> None:
        """Raise ConfigurationError if a model cannot read the source, or cannot write the target."""
        for side, text, vocabulary in (
            ("read", self.source, subwords.source),
            ("write", self.target, subwords.target),
        ):
            if UNKNOWN in vocabulary.encode(text):
                raise ConfigurationError(
                    f"keep_as has '{text}', which the model cannot {side}: its vocabulary lacks a part of it. Use a frequent word "
                    f"and its translation, such as Emi=エミ.",
                    key="keep_as",
                    value=text,
                )


class _Span(NamedTuple):
    """A symbol in a text: its characters and its pieces."""

    start: int
    end: int
    first: int
    last: int
    is_exact: bool
    """Whether the pieces have no other characters."""


def without_symbols(line: str, parts: Sequence[str], symbol: Symbol, translation: Translation) -> Translation:
    """Return a translation with the parts of the source in place of its symbols.

    A hypothesis that does not have one symbol for each part is returned as it is.

    Args:
        line: the source, with its parts.
        parts: what each symbol of the source stands for, in order.
        symbol: what stands for them.
        translation: of the source with symbols, with attention.
    """
    text = translation.source
    sources = _spans(translation.source_pieces, text, symbol.source)
    if len(sources) != len(parts):  # the line has the word itself, too
        return dataclasses.replace(translation, source=line)
    hypotheses = tuple(
        _without_symbols(parts, symbol.target, hypothesis, sources) for hypothesis in translation.hypotheses
    )
    return dataclasses.replace(
        translation,
        source=line,
        text=hypotheses[0].text if hypotheses else "",
        source_pieces=_replaced(translation.source_pieces, sources, parts),
        hypotheses=hypotheses,
    )


def _without_symbols(
    parts: Sequence[str], symbol: str, hypothesis: Hypothesis, sources: Sequence[_Span]
) -> Hypothesis:
    targets = _spans(hypothesis.pieces, hypothesis.text, symbol)
    if len(targets) != len(parts):
        return hypothesis
    own = [parts[index] for index in _order(hypothesis.attention, sources, targets)]
    text, position = "", 0
    for span, part in zip(targets, own, strict=True):
        text += hypothesis.text[position : span.start] + part
        position = span.end
    return dataclasses.replace(
        hypothesis,
        text=text + hypothesis.text[position:],
        pieces=_replaced(hypothesis.pieces, targets, own),
    )


def _replaced(pieces: Sequence[str], spans: Sequence[_Span], parts: Sequence[str]) -> tuple[str, ...]:
    """Return the pieces with each part in the first piece of its symbol, if the symbols are pieces of their own."""
    replaced = list(pieces)
    if all(span.is_exact for span in spans):
        for span, part in zip(spans, parts, strict=True):
            space = "▁" if replaced[span.first].startswith("▁") else ""
            replaced[span.first : span.last] = [space + part, *[""] * (span.last - span.first - 1)]
    return tuple(replaced)


def _order(
    attention: NDArray[np.float32] | None, sources: Sequence[_Span], targets: Sequence[_Span]
) -> list[int]:
    """Return which symbol of the source each symbol of the translation stands for; without attention, the same order."""
    count = len(targets)
    if attention is None:
        return list(range(count))
    weights: NDArray[np.float64] = np.array(
        [
            [attention[target.first : target.last, source.first : source.last].sum() for source in sources]
            for target in targets
        ]
    )
    order = [0] * count
    for _ in range(count):
        target, source = np.unravel_index(int(weights.argmax()), weights.shape)
        order[int(target)] = int(source)
        weights[target, :] = weights[:, source] = -1.0
    return order


def _spans(pieces: Sequence[str], text: str, symbol: str) -> list[_Span]:
    """Return the symbols of a text as whole words."""
    solids = piece_solids(pieces, text)
    spans = []
    for start, end in phrase_spans(text, symbol):
        before = solid_length(text[:start])
        after = before + solid_length(symbol)
        if solids is None:
            spans.append(_Span(start, end, 0, 0, is_exact=False))
            continue
        first = int(np.searchsorted(solids, before, side="right")) - 1
        last = max(int(np.searchsorted(solids, after)), first + 1)
        spans.append(_Span(start, end, first, last, solids[first] == before and solids[last] == after))
    return spans
