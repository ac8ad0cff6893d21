"""From the texts of a request to the lines that are translated, and back: everything else stays as it is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from nmt_lstm.server.units import Translated, Unit
from nmt_lstm.text.html_blocks import HtmlBlock, html_blocks
from nmt_lstm.text.kept_patterns import KeptPatterns

__all__ = ["Plan", "Splitter", "html_plan", "short_sentences", "text_plan"]

Splitter = Callable[[str], Sequence[str]]
"""Returns the sentences of a line."""
LONGEST_SENTENCE = 600
"""Characters: models are trained on shorter ones, and what is longer than they can read would be lost."""
_NOTHING_KEPT = KeptPatterns((), ())
_BREAKS = re.compile(r"[,;:、，；：]\s*|\s+")


class _Line(NamedTuple):
    """A line of a text: what stays as it is, and the sentences between."""

    leading: str
    sentences: list[int]
    """Indices of units."""
    separator: str
    trailing: str


class Plan:
    """What of a text is translated.

    Args:
        parts: of the text, in order: strings that stay, and lines.
        units: of the lines.
    """

    def __init__(self, parts: Sequence[str | _Line], units: Sequence[Unit]) -> None:
        self._parts = parts
        self.units = units

    def outline(self) -> list[str | int]:
        """Return the text in parts: strings that stay, and the numbers of units."""
        found: list[str | int] = []
        for part in self._parts:
            if isinstance(part, str):
                found.append(part)
                continue
            found.append(part.leading)
            for place, index in enumerate(part.sentences):
                found += [part.separator, index] if place else [index]
            found.append(part.trailing)
        return [part for part in found if part != ""]

    def written(self, results: Sequence[Translated], rank: int = 0) -> str:
        """Return the text with the translations in place.

        Args:
            results: of the units.
            rank: which of their translations; where there are fewer, the best.
        """
        return "".join(
            part if isinstance(part, str) else self._line(part, results, rank) for part in self._parts
        )

    def _line(self, line: _Line, results: Sequence[Translated], rank: int) -> str:
        texts = []
        for index in line.sentences:
            found = results[index].texts
            text = found[rank] if rank < len(found) else found[0] if found else ""
            # What cannot be translated comes back unchanged.
            texts.append(text or self.units[index].text)
        return f"{line.leading}{line.separator.join(texts)}{line.trailing}"


def text_plan(text: str, split: Splitter, separator: str, *, prefix: str = "") -> Plan:
    """Return the plan of a plain text: each of its lines is translated, and the space around it stays.

    Args:
        text: the text.
        split: into sentences.
        separator: between translated sentences.
        prefix: what the translation of the first sentence begins with.
    """
    parts: list[str | _Line] = []
    units: list[Unit] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            parts.append("\n")
        if not any(map(str.isalpha, line)):
            # Numbers, signs and pictures mean the same in every language.
            parts.append(line)
            continue
        body = line.strip()
        start = line.index(body)
        indices = []
        for sentence in split(body):
            indices.append(len(units))
            units.append(Unit(sentence, "" if units else prefix))
        parts.append(_Line(line[:start], indices, separator, line[start + len(body) :]))
    return Plan(parts, units)


def short_sentences(split: Splitter) -> Splitter:
    """Return a function that divides sentences which are too long at a comma or a space."""
    return lambda line: [part for sentence in split(line) for part in _divided(sentence)]


def _divided(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST_SENTENCE:
        breaks = [
            match.end() for match in _BREAKS.finditer(sentence, LONGEST_SENTENCE // 2, LONGEST_SENTENCE)
        ]
        end = breaks[-1] if breaks else LONGEST_SENTENCE
        yield sentence[:end].strip()
        sentence = sentence[end:].strip()
    yield sentence


def html_plan(document: str) -> Plan:
    """Return the plan of an HTML document: the text of each of its blocks is translated.

    A document whose blocks mean something else when they stand alone is translated as a whole.
    """
    parts: list[str | _Line] = []
    units: list[Unit] = []
    for part in html_blocks(document, _NOTHING_KEPT):
        if isinstance(part, HtmlBlock):
            if not _stands_alone(part):
                return Plan([_Line("", [0], "", "")], [Unit(document)])
            parts.append(_Line("", [len(units)], "", ""))
            units.append(Unit(part.raw))
        else:
            parts.append(part)
    return Plan(parts, units)


def _stands_alone(block: HtmlBlock) -> bool:
    return list(html_blocks(block.raw, _NOTHING_KEPT)) == [dataclasses.replace(block, line=1)]
