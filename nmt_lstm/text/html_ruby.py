"""Ruby in HTML: the readings printed beside characters, which are not part of the sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nmt_lstm.text.html_tokens import Token, TokenKind

__all__ = ["ruby_tokens"]

_BASES = frozenset(["ruby", "rb"])
_READINGS = frozenset(["rt", "rp", "rtc"])


def ruby_tokens(tokens: Sequence[Token], ends: Mapping[int, int], separators: Collection[str]) -> set[int]:
    """Return the indices of what belongs to ruby but is not its base: the tags of ruby, and readings with their content.

    A reading belongs to a word of the source; the translation has neither the word nor its place. The end tags of readings
    may be left out. A ruby element without an end tag is not treated as ruby, lest the rest of the document vanish.

    Args:
        tokens: of a document.
        ends: index of the end tag for the index of each start tag that has one.
        separators: names of elements that end a reading, since they cannot be part of it.
    """
    chosen: set[int] = set()
    ruby_ends: set[int] = set()
    reading = ""
    for index, token in enumerate(tokens):
        if token.kind is TokenKind.START and token.name == "ruby" and index in ends:
            ruby_ends.add(ends[index])
        if not ruby_ends:
            continue
        is_tag = token.kind in {TokenKind.START, TokenKind.END}
        if is_tag and token.name in separators:
            reading = ""
        elif is_tag and token.name in _BASES | _READINGS:
            chosen.add(index)
            if token.name in _BASES:
                reading = ""
            elif token.kind is TokenKind.END:
                reading = "" if token.name == reading else reading
            elif reading != "rtc":  # which may contain others
                reading = token.name
        elif reading and token.kind is not TokenKind.OTHER:
            chosen.add(index)
        ruby_ends.discard(index)
        if not ruby_ends:
            reading = ""
    return chosen
