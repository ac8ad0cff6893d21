"""A translated sentence as the page shows it: words with their probabilities, and the source words that each attended to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nmt_lstm.inference.translation import Hypothesis, Translation
from nmt_lstm.text.phrases import is_spaced_letter
from nmt_lstm.text.written_pieces import text_of_pieces, word_spans

__all__ = ["sentence_details", "token_spans"]

_SPACE = "▁"


def sentence_details(translation: Translation) -> dict[str, Any]:
    """Return the details of a sentence, ready for JSON.

    Args:
        translation: with attention and probabilities.
    """
    source = token_spans(translation.source_pieces)
    best = translation.hypotheses[0] if translation.hypotheses else None
    return {
        "text": translation.text,
        "source": _tokens(translation.source_pieces, source),
        "target": [] if best is None else _words(best, source),
        "probability": 1.0 if best is None else _rounded(math.exp(best.log_probability)),
        "alternatives": [hypothesis.text for hypothesis in translation.hypotheses[1:]],
    }


def token_spans(pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the parts of a text begin and end that a reader points at: words, or pieces in scripts without spaces."""
    spans: list[tuple[int, int]] = []
    for start, end in word_spans(pieces):
        text = text_of_pieces(pieces[start:end])
        if all(is_spaced_letter(letter) for letter in text if letter.isalpha()):
            spans.append((start, end))
            continue
        first = start
        for place in range(start, end):
            # A space of its own, or a byte of a longer character, shows nothing.
            if text_of_pieces(pieces[first : place + 1]) and "\ufffd" not in _text(pieces[first : place + 1]):
                spans.append((first, place + 1))
                first = place + 1
        if first < end:
            spans.append((first, end))
    return spans


def _text(pieces: Sequence[str]) -> str:
    return "".join("\ufffd" if piece.startswith("<0x") else piece for piece in pieces)


def _tokens(pieces: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    return [
        {
            "text": text_of_pieces(pieces[start:end]),
            "space": start > 0 and pieces[start].startswith(_SPACE),
        }
        for start, end in spans
    ]


def _words(hypothesis: Hypothesis, source: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    pieces, values, weights = hypothesis.pieces, hypothesis.piece_log_probabilities, hypothesis.attention
    assert values is not None
    assert weights is not None
    spans = token_spans(pieces)
    words = []
    for token, (start, end) in zip(_tokens(pieces, spans), spans, strict=True):
        own = weights[start:end].mean(0)
        words.append(
            {
                **token,
                "probability": _rounded(math.exp(sum(values[start:end]))),
                "before": text_of_pieces(pieces[:start]),
                "attention": [_rounded(float(np.sum(own[first:last]))) for first, last in source],
            }
        )
    return words


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
