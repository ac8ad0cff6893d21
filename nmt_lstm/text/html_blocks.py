"""The sentences of an HTML document: text between block elements, with its inline elements as marks."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nmt_lstm.text.html_ruby import ruby_tokens
from nmt_lstm.text.html_tokens import Token, TokenKind, attributes, html_tokens
from nmt_lstm.text.kept_patterns import KeptPatterns
from nmt_lstm.text.marked_text import Item, Kind, MarkedText, marked_text

__all__ = ["HtmlBlock", "html_blocks"]

# Elements that separate sentences: blocks, parts of tables, lists and forms, and line breaks. All others, known or not, are
# part of a sentence.
_BLOCKS = frozenset(
    [
        "address",
        "area",
        "article",
        "aside",
        "audio",
        "base",
        "blockquote",
        "body",
        "br",
        "canvas",
        "caption",
        "center",
        "col",
        "colgroup",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "embed",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "link",
        "main",
        "map",
        "menu",
        "meta",
        "nav",
        "noscript",
        "object",
        "ol",
        "optgroup",
        "option",
        "p",
        "param",
        "picture",
        "pre",
        "search",
        "section",
        "select",
        "source",
        "summary",
        "table",
        "tbody",
        "td",
        "template",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "track",
        "ul",
        "video",
    ]
)
# Without an end tag.
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "frame",
        "basefont",
    ]
)
# Left as they are, with their content.
_VERBATIM = frozenset(
    ["code", "kbd", "samp", "var", "pre", "svg", "math", "object", "template", "canvas", "audio", "video"]
)

MAX_TAGS, MAX_DEPTH = 500, 50
"""Tags of inline elements in one sentence, and elements within each other. No writer needs so many; with more, each tag
separates sentences, so that a document made to take long does not."""


@dataclass(frozen=True)
class HtmlBlock:
    """A sentence, or several, of a document.

    Attributes:
        line: number of the line of the document where it begins, from 1.
        leading: spaces before it.
        marked: its text, with tags as marks.
        trailing: spaces after it.
        raw: all of it as it is in the document.
    """

    line: int
    leading: str
    marked: MarkedText
    trailing: str
    raw: str


@dataclass(frozen=True)
class _Part:
    """A token, or an element that is left as it is."""

    raw: str
    kind: Kind | None
    """None separates sentences."""
    name: str = ""
    is_tag: bool = False
    is_closed: bool = True
    """Whether the document closes what is left as it is."""
    is_dropped: bool = False
    """Whether a translation does not have it."""


def html_blocks(
    document: str, patterns: KeptPatterns, *, unclosed: Callable[[int, str], None] | None = None
) -> Iterator[str | HtmlBlock]:
    """Yield the parts of a document, in order: what stays as it is, and what is to be translated.

    Args:
        document: HTML, well-formed or not.
        patterns: of what is kept in the text.
        unclosed: called with the line and the beginning of each part that stays as it is because the document does not
            close it.
    """
    line = 1
    for parts in _runs(_parts(list(html_tokens(document)))):
        raw = "".join(part.raw for part in parts)
        if unclosed is not None:
            before = 0
            for part in parts:
                if not part.is_closed:
                    unclosed(line + before, part.raw.split("\n", 1)[0])
                before += part.raw.count("\n")
        if parts[0].kind is None:
            yield raw
        else:
            yield _block(parts, raw, line, patterns) or raw
        line += raw.count("\n")


def _block(parts: Sequence[_Part], raw: str, line: int, patterns: KeptPatterns) -> HtmlBlock | None:
    """Return a block; None if there is nothing to translate."""
    items = [item for part in parts for item in _items(part, patterns)]
    marked = marked_text(items)
    if not marked.is_translatable:
        return None
    first, last = parts[0], parts[-1]
    leading = first.raw[: len(first.raw) - len(first.raw.lstrip())] if first.kind is Kind.TEXT else ""
    trailing = last.raw[len(last.raw.rstrip()) :] if last.kind is Kind.TEXT else ""
    return HtmlBlock(line, leading, marked, trailing, raw)


def _items(part: _Part, patterns: KeptPatterns) -> Iterator[Item]:
    assert part.kind is not None
    if part.is_dropped:
        return
    if part.kind is not Kind.TEXT:
        yield Item(part.kind, part.raw)
        return
    text, position = html.unescape(part.raw), 0
    for start, end in patterns.spans(text):
        yield Item(Kind.TEXT, text[position:start])
        yield Item(Kind.WORD, html.escape(text[start:end], quote=False))
        position = end
    yield Item(Kind.TEXT, text[position:])


def _parts(tokens: Sequence[Token]) -> Iterator[_Part]:
    """Yield the parts of a document; elements that are left as they are, are one part."""
    ends = _ends(tokens)
    ruby = ruby_tokens(tokens, ends, _BLOCKS)
    index = 0
    while index < len(tokens):
        token = tokens[index]
        last = index
        if index in ruby and not (token.name == "ruby" and _is_verbatim(token)):
            yield _Part(token.text, Kind.POINT, is_dropped=True)
        elif token.kind is TokenKind.TEXT:
            yield _Part(token.text, Kind.TEXT)
        elif token.kind is TokenKind.OTHER:
            # A comment may stand in a sentence; a script separates sentences only as far as its place does.
            is_point = token.is_closed and not token.text.startswith(("<!D", "<!d", "<?"))
            yield _Part(token.text, Kind.POINT if is_point else None, is_closed=token.is_closed)
        elif token.kind is TokenKind.START and (end := _verbatim_end(tokens, index, ends)) is not None:
            last = end
            raw = "".join(each.text for each in tokens[index : last + 1])
            inline = Kind.POINT if token.name in {"svg", "math"} else Kind.WORD
            # The end tag of a paragraph may be left out; that of preformatted text may not.
            is_closed = index in ends or token.name not in _VERBATIM
            yield _Part(raw, None if token.name in _BLOCKS else inline, is_closed=is_closed)
        elif token.name in _BLOCKS:
            yield _Part(token.text, None)
        elif token.kind is TokenKind.START:
            is_single = token.name in _VOID or token.text.endswith("/>")
            yield _Part(token.text, Kind.POINT if is_single else Kind.OPEN, token.name, is_tag=not is_single)
        else:
            yield _Part(token.text, Kind.CLOSE, token.name, is_tag=True)
        index = last + 1


def _verbatim_end(tokens: Sequence[Token], index: int, ends: Mapping[int, int]) -> int | None:
    """Return the index of the last token of an element that is left as it is; None for other elements.

    A block without an end tag reaches to the end of the document if it is one of those, such as preformatted text, and to
    the next block if its attributes say that it is not to be translated.
    """
    token = tokens[index]
    if not _is_verbatim(token) or token.text.endswith("/>") or token.name in _VOID:
        return None
    if index in ends:
        return ends[index]
    if token.name not in _BLOCKS:
        return None
    if token.name in _VERBATIM:
        return len(tokens) - 1
    following = range(index + 1, len(tokens))
    return next((each - 1 for each in following if tokens[each].name in _BLOCKS), len(tokens) - 1)


def _is_verbatim(token: Token) -> bool:
    if token.name in _VERBATIM:
        return True
    if "translate" not in token.text.lower():
        return False
    values = attributes(token.text)
    return values.get("translate", "").lower() == "no" or "notranslate" in values.get("class", "").split()


def _ends(tokens: Sequence[Token]) -> dict[int, int]:
    """Return the index of the end tag for the index of each start tag that has one."""
    begun: dict[str, list[int]] = {}
    ends = {}
    for index, token in enumerate(tokens):
        if token.kind is TokenKind.START and token.name not in _VOID and not token.text.endswith("/>"):
            begun.setdefault(token.name, []).append(index)
        elif token.kind is TokenKind.END and begun.get(token.name):
            ends[begun[token.name].pop()] = index
    return ends


def _runs(parts: Iterator[_Part]) -> Iterator[list[_Part]]:
    """Yield runs of parts: a separator alone, or parts of a sentence whose elements are nested."""
    run: list[_Part] = []
    for part in parts:
        if part.kind is None:
            yield from _nested(run)
            yield [part]
            run = []
        else:
            run.append(part)
    yield from _nested(run)


def _nested(run: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Yield parts of a run whose elements are nested; tags of elements that begin or end elsewhere separate them."""
    pairs = _pairs(run)
    level = 0
    current: list[_Part] = []
    for index, part in enumerate(run):
        if not part.is_tag:
            current.append(part)
        elif index in pairs:
            level += 1 if part.kind is Kind.OPEN else -1
            current.append(part)
        elif level:  # the document is not well-formed
            current.append(_Part(part.raw, Kind.POINT))
        else:
            if current:
                yield current
            yield [_Part(part.raw, None)]
            current = []
    if current:
        yield current


def _pairs(run: Sequence[_Part]) -> set[int]:
    """Return the indices of start and end tags that belong together and are nested; none, if there are too many."""
    if sum(part.is_tag for part in run) > MAX_TAGS:
        return set()
    begun: list[int] = []
    open_names: dict[str, int] = {}
    pairs: set[int] = set()
    for index, part in enumerate(run):
        if not part.is_tag:
            continue
        if part.kind is Kind.OPEN:
            begun.append(index)
            if len(begun) > MAX_DEPTH:
                return set()
            open_names[part.name] = open_names.get(part.name, 0) + 1
        elif open_names.get(part.name):
            while True:
                start = begun.pop()
                open_names[run[start].name] -= 1
                if run[start].name == part.name:
                    break
            pairs |= {start, index}
    return pairs
