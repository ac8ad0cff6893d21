"""Two versions of a sentence, with the words marked that only one of them has."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["marked_differences"]

# Scripts written without spaces are compared character by character: kana, CJK ideographs and half-width kana.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_TOKEN = re.compile(rf"\s+|[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+|[^\w\s]")
# Comparison takes time quadratic in the length; longer sentences are shown without marks.
_MAX_TOKENS = 2_000


def marked_differences(one: str, other: str) -> tuple[Markup, Markup]:
    """Return both texts as HTML, with ``<mark>`` around what the other text lacks at that point.

    Words are compared by the longest matching blocks of `difflib.SequenceMatcher`; spaces alone are never marked.
    """
    tokens = _TOKEN.findall(one), _TOKEN.findall(other)
    if max(map(len, tokens)) > _MAX_TOKENS:
        return joined(one), joined(other)
    parts: tuple[list[str], list[str]] = [], []
    # autojunk would ignore words that are frequent in long sentences.
    for kind, *bounds in SequenceMatcher(None, *tokens, autojunk=False).get_opcodes():
        for side, (start, end) in enumerate((bounds[:2], bounds[2:])):
            text = "".join(tokens[side][start:end])
            parts[side].append(_marked(text) if kind != "equal" else text)
    return joined(*parts[0]), joined(*parts[1])


def _marked(text: str) -> str:
    if not text.strip():
        return text
    inner = text.strip()
    before, after = text.split(inner, 1)
    return joined(before, element("mark", inner), after)
