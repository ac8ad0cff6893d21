"""Tags among the parts of a line: those that begin and end an element are paired."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nmt_lstm.text.marked_text import Item, Kind

__all__ = ["inline_items", "tag_name"]

MAX_DEPTH = 50
"""Elements within each other; with more, all tags of the line are points."""
_NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")


def tag_name(tag: str) -> str:
    """Return the name of a tag in lower case; empty if the text is not one."""
    match = _NAME.match(tag)
    return match[1].lower() if match and tag.endswith(">") else ""


def inline_items(items: Sequence[Item]) -> list[Item]:
    """Return items where the words that are tags begin and end elements, or are points if they have no counterpart."""
    result = list(items)
    deepest = 0
    begun: list[tuple[str, int]] = []
    for index, item in enumerate(items):
        name = tag_name(item.text) if item.kind is Kind.WORD else ""
        if not name:
            continue
        result[index] = Item(Kind.POINT, item.text)
        if not item.text.startswith("</"):
            if not item.text.endswith("/>"):
                begun.append((name, index))
                deepest = max(deepest, len(begun))
        elif any(name == other for other, _ in begun):
            # What was begun within it and has not ended is not nested.
            while begun[-1][0] != name:
                begun.pop()
            _, start = begun.pop()
            result[start] = Item(Kind.OPEN, items[start].text)
            result[index] = Item(Kind.CLOSE, item.text)
    if deepest > MAX_DEPTH:
        return [Item(Kind.POINT, item.text) if tag_name(item.text) else item for item in items]
    return result
