"""Symbols that a model copies, replaced by what they stand for: which one stands for what, the attention says."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.inference.piece_offsets import piece_solids
from nmt_lstm.inference.translation import Hypothesis, Translation
from nmt_lstm.text.marked_text import solid_length
from nmt_lstm.text.written_pieces import text_of_pieces

__all__ = ["without_symbols"]


def without_symbols(line: str, parts: Sequence[str], symbol: str, translation: Translation) -> Translation:
    """Return a translation with the parts of the source in place of its symbols.

    A hypothesis that does not have one symbol for each part is returned as it is.

    Args:
        line: the source, with its parts.
        parts: what each symbol of the source stands for, in order.
        symbol: what stands for them.
        translation: of the source with symbols, with attention.
    """
    hypotheses = tuple(
        _without_symbols(parts, symbol, hypothesis, translation) for hypothesis in translation.hypotheses
    )
    return dataclasses.replace(
        translation,
        source=line,
        text=hypotheses[0].text if hypotheses else "",
        source_pieces=_replaced(translation.source_pieces, symbol, parts),
        hypotheses=hypotheses,
    )


def _without_symbols(
    parts: Sequence[str], symbol: str, hypothesis: Hypothesis, translation: Translation
) -> Hypothesis:
    between = hypothesis.text.split(symbol)
    if len(between) - 1 != len(parts):
        return hypothesis
    order = _order(symbol, len(parts), hypothesis, translation)
    own = [parts[index] for index in order]
    text = "".join(piece for pair in zip(between, [*own, ""], strict=True) for piece in pair)
    return dataclasses.replace(hypothesis, text=text, pieces=_replaced(hypothesis.pieces, symbol, own))


def _replaced(pieces: Sequence[str], symbol: str, parts: Sequence[str]) -> tuple[str, ...]:
    """Return the pieces with the parts in place of the symbols, if each symbol is one piece."""
    if sum(symbol in piece for piece in pieces) != len(parts):
        return tuple(pieces)
    remaining = iter(parts)
    return tuple(piece.replace(symbol, next(remaining)) if symbol in piece else piece for piece in pieces)


def _order(symbol: str, count: int, hypothesis: Hypothesis, translation: Translation) -> list[int]:
    """Return which symbol of the source each symbol of the translation stands for; without attention, the same order."""
    source_text = text_of_pieces(translation.source_pieces)
    sources = _positions(translation.source_pieces, source_text, symbol)
    targets = _positions(hypothesis.pieces, hypothesis.text, symbol)
    if hypothesis.attention is None or len(sources) != count or len(targets) != count:
        return list(range(count))
    weights: NDArray[np.float64] = np.array(
        [
            [hypothesis.attention[start:end, first:last].sum() for first, last in sources]
            for start, end in targets
        ]
    )
    order = [0] * count
    for _ in range(count):
        target, source = np.unravel_index(int(weights.argmax()), weights.shape)
        order[int(target)] = int(source)
        weights[target, :] = weights[:, source] = -1.0
    return order


def _positions(pieces: Sequence[str], text: str, symbol: str) -> list[tuple[int, int]]:
    """Return the first piece of each symbol in a text, and the one after its last."""
    solids = piece_solids(pieces, text)
    if solids is None:
        return []
    positions = []
    start = text.find(symbol)
    while start >= 0:
        before = solid_length(text[:start])
        first, last = (
            int(np.searchsorted(solids, before, side="right")) - 1,
            int(np.searchsorted(solids, before + solid_length(symbol))),
        )
        positions.append((first, max(last, first + 1)))
        start = text.find(symbol, start + len(symbol))
    return positions
