"""HTML as tags, text and the rest, in time proportional to its length.

The tokens follow the HTML standard where writers of pages depend on it (comments, scripts, quoted attributes). A ``<`` that
begins no tag is text. A comment, a script or a quoted attribute that the document does not close is not text for readers, so it
is left as it is. Joined, the tokens are the document, to the last character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

__all__ = ["Token", "TokenKind", "attributes", "html_tokens"]

_NAME = re.compile(r"</?([A-Za-z][^\s/<>]*+)")
_PLAIN = re.compile(r"[^<>\"']*+")
_ATTRIBUTE = re.compile(r"([^\s=/>\"']++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++)))?")
_CUT_ATTRIBUTE = re.compile(r"""\s[A-Za-z][\w-]*+=["']""")
# Their content is not markup, and is not text for readers.
_RAW_ELEMENTS = frozenset(
    {"script", "style", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"}
)


class TokenKind(Enum):
    """What a part of a document is."""

    TEXT = "text"
    """With its entities."""
    START = "start"
    """A tag that begins an element, or one without an end."""
    END = "end"
    OTHER = "other"
    """A comment, a declaration, or a whole script or style sheet."""


class Token(NamedTuple):
    """A part of a document."""

    kind: TokenKind
    text: str
    name: str = ""
    """Of the element, in lower case."""
    is_closed: bool = True
    """Whether it ends before the document does, or, of a tag, before the next one."""


class _Finder:
    """Finds strings, and remembers which ones do not occur any more: each is looked for in vain only once.

    Args:
        text: the document.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._absent: set[str] = set()

    def end_of(self, string: str, start: int) -> int:
        """Return the position after the next occurrence of a string, or -1."""
        position = -1 if string in self._absent else self._text.find(string, start)
        if position < 0:
            self._absent.add(string)
            return -1
        return position + len(string)

    def end_tag(self, name: str, start: int) -> int:
        """Return the position of the next end tag of an element, or -1."""
        tag = f"</{name}"
        match = None if tag in self._absent else re.compile(tag, re.IGNORECASE).search(self._text, start)
        if match is None:
            self._absent.add(tag)
            return -1
        return match.start()


def html_tokens(document: str) -> Iterator[Token]:
    """Yield the tokens of a document. Adjacent text is one token."""
    finder = _Finder(document)
    text_start = position = 0
    while (position := document.find("<", position)) >= 0:
        token = _markup(document, position, finder)
        if token is None:
            position += 1
            continue
        if text_start < position:
            yield Token(TokenKind.TEXT, document[text_start:position])
        yield token
        text_start = position = position + len(token.text)
    if text_start < len(document):
        yield Token(TokenKind.TEXT, document[text_start:])


def attributes(tag: str) -> dict[str, str]:
    """Return the attributes of a tag, with names in lower case; the value is empty if there is none."""
    name = _NAME.match(tag)
    rest = tag[name.end() : -1] if name else ""
    values: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest):
        values.setdefault(match[1].lower(), match[2] or match[3] or match[4] or "")
    return values


def _markup(document: str, start: int, finder: _Finder) -> Token | None:
    """Return the markup at a position, or None if it is text."""
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">")):
        if document.startswith(opening, start):
            end = finder.end_of(closing, start + len(opening))
            if end >= 0:
                return Token(TokenKind.OTHER, document[start:end])
            return Token(TokenKind.OTHER, document[start:], is_closed=False) if len(opening) > 2 else None
    name_match = _NAME.match(document, start)
    if name_match is None:
        return None
    name = name_match[1].lower()
    end = _tag_end(document, name_match.end(), finder)
    if end < 0:
        return _cut_tag(document, start, name, finder)
    if document.startswith("</", start):
        return Token(TokenKind.END, document[start:end], name)
    if name in _RAW_ELEMENTS and not document.startswith("/>", end - 2):
        close = finder.end_tag(name, end)
        close_end = finder.end_of(">", close) if close >= 0 else -1
        if close_end >= 0:
            return Token(TokenKind.OTHER, document[start:close_end], name)
        return Token(TokenKind.OTHER, document[start:], name, is_closed=False)
    return Token(TokenKind.START, document[start:end], name)


def _cut_tag(document: str, start: int, name: str, finder: _Finder) -> Token | None:
    """Return a tag whose quoted attribute is not closed, up to the next ``>``; None for what is not like a tag.

    The next ``<`` ends it, too: "a<b" may be a comparison.
    """
    end = finder.end_of(">", start)
    limit = document.find("<", start + 1)
    end = min(position for position in (end, limit, len(document)) if position >= 0)
    if _CUT_ATTRIBUTE.search(document, start, end) is None:
        return None
    return Token(TokenKind.OTHER, document[start:end], name, is_closed=False)


def _tag_end(document: str, position: int, finder: _Finder) -> int:
    """Return the position after the end of a tag whose name ends at `position`, or -1."""
    while True:
        start = position
        match = _PLAIN.match(document, position)
        position = match.end() if match else position
        character = document[position : position + 1]
        if character == ">":
            return position + 1
        if character not in {'"', "'"}:  # the end of the document, or a < outside of quotes
            return -1
        # A quote begins a value only after an equals sign; elsewhere it is a character like others.
        quoted = document[start:position].rstrip().endswith("=")
        position = finder.end_of(character, position + 1) if quoted else position + 1
        if position < 0:
            return -1
