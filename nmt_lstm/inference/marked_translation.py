"""Putting the marks of a text into its translation: into the text, and as pieces aligned with themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.inference.mark_spaces import Part, text_parts
from nmt_lstm.inference.piece_offsets import SolidText, piece_solids
from nmt_lstm.inference.placement import Placed, Placement
from nmt_lstm.inference.translation import Hypothesis, Translation
from nmt_lstm.text.marked_text import Mark, MarkedText, solid_length
from nmt_lstm.text.special_pieces import UNKNOWN

__all__ = ["copied", "translated_parts", "with_marks"]

Value = TypeVar("Value")
_Key = tuple[int, bool]
"""The identity of a mark, and whether its end is meant."""


class _Addition(NamedTuple):
    """A piece for a mark, or for one end of it."""

    key: _Key
    gap: int
    piece: str


class _Places(NamedTuple):
    """Where the marks of a text stand in the pieces of the source and of a hypothesis."""

    source: tuple[Placed, ...]
    target: tuple[Placed, ...]
    target_solids: Sequence[int]


def translated_parts(marked: MarkedText, translation: Translation) -> list[Part]:
    """Return the best translation of a marked text, in parts.

    Args:
        marked: the text.
        translation: of its `text`, with attention.
    """
    best = translation.hypotheses[0]
    places = _places(marked, translation, best)
    return text_parts(places.target, places.target_solids, best.text)


def with_marks(line: str, marked: MarkedText, translation: Translation) -> Translation:
    """Return a translation whose hypotheses have the marks of the text.

    In the pieces, a mark is a piece that is aligned with itself, with log-probability 0 and the id of an unknown piece.

    Args:
        line: with the marks.
        marked: the same, taken apart.
        translation: of its `text`, with attention.
    """
    hypotheses = []
    source_pieces: list[str] = []
    for hypothesis in translation.hypotheses:
        places = _places(marked, translation, hypothesis)
        text = "".join(part.text for part in text_parts(places.target, places.target_solids, hypothesis.text))
        sources, targets = list(_additions(places.source)), list(_additions(places.target))
        source_pieces, source_indices, source_marks = _merged(translation.source_pieces, sources)
        pieces, indices, marks = _merged(hypothesis.pieces, targets)
        pairs = [(source_indices[source], indices[target]) for source, target in hypothesis.alignment]
        own = [(source_marks[key], marks[key]) for key in marks]
        values = hypothesis.piece_log_probabilities
        hypotheses.append(
            dataclasses.replace(
                hypothesis,
                text=text,
                pieces=tuple(pieces),
                alignment=tuple(sorted([*pairs, *own], key=lambda pair: (pair[1], pair[0]))),
                attention=_attention(hypothesis.attention, source_indices, indices, own),
                piece_log_probabilities=None
                if values is None
                else (*_spread(values[:-1], indices, len(pieces), 0.0), values[-1]),
                ids=_spread(hypothesis.ids, indices, len(pieces), UNKNOWN),
            )
        )
    best = hypotheses[0]
    return dataclasses.replace(
        translation,
        source=line,
        text=best.text,
        source_pieces=tuple(source_pieces),
        hypotheses=tuple(hypotheses),
    )


def copied(line: str, *, attention: bool, probabilities: bool) -> Translation:
    """Return a line without anything to translate as its own translation, each word one piece."""
    pieces = tuple(f"▁{word}" for word in line.split())
    count = len(pieces)
    if not count:
        return Translation(line, "", 0.0, (), ())
    hypothesis = Hypothesis(
        text=" ".join(line.split()),
        score=0.0,
        log_probability=0.0,
        pieces=pieces,
        alignment=tuple((index, index) for index in range(count)),
        attention=np.eye(count, count + 1, dtype=np.float32) if attention else None,
        piece_log_probabilities=(0.0,) * (count + 1) if probabilities else None,
        ids=(UNKNOWN,) * count,
    )
    return Translation(line, hypothesis.text, 0.0, pieces, (hypothesis,))


def _places(marked: MarkedText, translation: Translation, hypothesis: Hypothesis) -> _Places:
    assert hypothesis.attention is not None
    source_solids = piece_solids(translation.source_pieces, marked.text)
    if source_solids is None:
        # Characters that the vocabulary does not have, or a truncated text.
        source_solids = _in_proportion(len(translation.source_pieces), solid_length(marked.text))
    text = SolidText(hypothesis.text)
    target_solids = piece_solids(hypothesis.pieces, hypothesis.text)
    count = len(hypothesis.pieces)
    if target_solids is None:
        target_solids = _in_proportion(count, len(text))
        gaps = [gap for gap in range(count + 1) if gap in {0, count} or text.space(target_solids[gap])]
    else:
        gaps = [gap for gap in range(count + 1) if gap in {0, count} or text.is_boundary(target_solids[gap])]
    placement = Placement(hypothesis.attention, source_solids, gaps)
    return _Places(
        tuple(_source_place(mark, source_solids) for mark in marked.marks),
        placement.places(marked.marks),
        target_solids,
    )


def _in_proportion(pieces: int, solids: int) -> list[int]:
    return [round(gap * solids / max(1, pieces)) for gap in range(pieces + 1)]


def _source_place(mark: Mark, solids: Sequence[int]) -> Placed:
    start, end = (
        min(int(np.searchsorted(solids, solid)), len(solids) - 1) for solid in (mark.start, mark.end)
    )
    return Placed(mark, start, end, tuple(_source_place(inner, solids) for inner in mark.marks))


def _additions(places: Sequence[Placed]) -> Iterator[_Addition]:
    for place in places:
        space = "▁" if place.mark.is_word else ""
        yield _Addition((id(place.mark), False), place.start, space + place.mark.opening)
        yield from _additions(place.marks)
        if place.mark.closing:
            yield _Addition((id(place.mark), True), place.end, place.mark.closing)


def _merged(
    pieces: Sequence[str], additions: Sequence[_Addition]
) -> tuple[list[str], list[int], dict[_Key, int]]:
    """Return the pieces with the additions, the new indices of the pieces, and the indices of the additions."""
    merged: list[str] = []
    indices: list[int] = []
    marks: dict[_Key, int] = {}
    waiting = [*additions]
    waiting.reverse()
    for gap in range(len(pieces) + 1):
        while waiting and waiting[-1].gap <= gap:
            addition = waiting.pop()
            marks[addition.key] = len(merged)
            merged.append(addition.piece)
        if gap < len(pieces):
            indices.append(len(merged))
            merged.append(pieces[gap])
    return merged, indices, marks


def _attention(
    weights: NDArray[np.float32] | None,
    source_indices: Sequence[int],
    indices: Sequence[int],
    marks: Sequence[tuple[int, int]],
) -> NDArray[np.float32] | None:
    if weights is None:
        return None
    result = np.zeros((len(indices) + len(marks), len(source_indices) + len(marks) + 1), dtype=np.float32)
    result[np.ix_(indices, [*source_indices, -1])] = weights
    for source, target in marks:
        result[target, source] = 1.0
    return result


def _spread(
    values: Sequence[Value], indices: Sequence[int], length: int, filling: Value
) -> tuple[Value, ...]:
    result = [filling] * length
    for index, value in zip(indices, values, strict=True):
        result[index] = value
    return tuple(result)
