r"""Pairs from a stream, such as standard input: lines of ``source<TAB>target``, of which any number may follow.

OpusTrainer (Bogoychev et al. 2023) writes such lines; a third column, of word alignments such as ``0-0 1-2``, is ignored. A
third column of something else is the sign of a tab inside a sentence.
"""

from __future__ import annotations

import itertools
import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nmt_lstm.errors import DataError
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.cleaning import PairCleaner
from nmt_lstm.text.line_decoding import decode_lines
from nmt_lstm.text.subword_sampling import sentence_seed
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.tags import tag_pieces

__all__ = ["STDIN", "PairStream", "PiecePair", "open_stream"]

STDIN = "-"
"""The name of standard input."""
COLUMNS = (2, 3)
_ALIGNMENT = re.compile(r"\s*+(?:\d++-\d++(?:\s++|\Z))*+")
# As in files of columns: the share of invalid lines that is tolerated, and the lines from which on that is checked.
TOLERATED = 0.1
MIN_CHECKED = 100

logger = logging.getLogger(__name__)
Sampler = Callable[[str, int], list[int]]


class PiecePair(NamedTuple):
    """The pieces of a pair."""

    source: list[int]
    target: list[int]


def open_stream(name: str) -> BinaryIO:
    """Return standard input for "-", otherwise the named pipe or file.

    Raises:
        DataError: it cannot be opened.
    """
    if name == STDIN:
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as problem:
        raise DataError(f"cannot read the stream '{name}': {problem.strerror}.", path=Path(name)) from None


class PairStream:
    """Reads pairs, cleans them and splits them into pieces, a pool of lines at a time.

    Args:
        lines: of bytes.
        subwords: the vocabularies.
        cleaner: decides which pairs are kept.
        tags: a source line that begins with one of them and a space has it as its first piece.
        samplers: draw the pieces of a source and of a target line; None splits them in the usual way.
        seed: of the samplers.
    """

    def __init__(
        self,
        lines: Iterator[bytes],
        *,
        subwords: Subwords,
        cleaner: PairCleaner,
        tags: Sequence[str] = (),
        samplers: tuple[Sampler, Sampler] | None = None,
        seed: int = 1,
    ) -> None:
        self.cleaner = cleaner
        self.lines = 0
        """Number of lines read so far."""
        self.ended = False
        """Whether the end of the stream was reached."""
        self.invalid = 0
        """How many of them were not pairs."""
        self._lines = decode_lines(lines, "the stream")
        self._subwords = subwords
        self._tags = {tag: tag_pieces(subwords.source, tag) for tag in tags}
        self._samplers = samplers
        self._seed = seed

    def pools(self, size: int) -> Iterator[list[PiecePair]]:
        """Yield the kept pairs of each `size` lines, until the stream ends.

        Raises:
            DataError: a line is not UTF-8, too many lines are not pairs, or the stream ends without a pair.
        """
        while lines := list(itertools.islice(self._lines, size)):
            first = self.lines
            pairs = self._pairs(lines)
            if pool := self._pieces(pairs, first):
                yield pool
        self.ended = True
        if not self.cleaner.report.kept:
            reason = f": {self.cleaner.report.describe('pair')}" if self.lines else ""
            raise DataError(f"the stream ended without a pair to train on{reason}.")
        logger.info("The stream has ended: %s.", self.cleaner.report.describe("pair"))

    def _pairs(self, lines: Sequence[str]) -> list[tuple[str, str]]:
        pairs = []
        for line in lines:
            self.lines += 1
            columns = line.split("\t")
            problem = _problem(columns)
            if not problem:
                pairs.append((columns[0], columns[1]))
                continue
            self.invalid += 1
            if self.invalid <= 3:
                logger.warning("line %d of the stream %s; it is left out.", self.lines, problem)
            if self.lines >= MIN_CHECKED and self.invalid > TOLERATED * self.lines:
                raise DataError(
                    f"{self.invalid:,} of the first {self.lines:,} lines of the stream are not pairs, which is more than "
                    f"{TOLERATED:.0%}; each line must be a source, a tab and a target, and may have word alignments, such as "
                    f"0-0 1-2, after a second tab.",
                    line=self.lines,
                )
        return pairs

    def _pieces(self, pairs: Sequence[tuple[str, str]], first: int) -> list[PiecePair]:
        tagged = [self._split_tag(source) for source, _ in pairs]
        texts = [text for _, text in tagged]
        targets = [target for _, target in pairs]
        if self._samplers is None:
            encoded = zip(
                self._subwords.source.encode_lines(texts),
                self._subwords.target.encode_lines(targets),
                strict=True,
            )
        else:
            source, target = self._samplers
            encoded = zip(
                (source(text, sentence_seed(self._seed, first + i, 0)) for i, text in enumerate(texts)),
                (target(text, sentence_seed(self._seed, first + i, 1)) for i, text in enumerate(targets)),
                strict=True,
            )
        return [
            PiecePair([*tag, *source_pieces], target_pieces)
            for (tag, _), pair, (source_pieces, target_pieces) in zip(tagged, pairs, encoded, strict=True)
            if self.cleaner.keeps(*pair, len(source_pieces), len(target_pieces))
        ]

    def _split_tag(self, line: str) -> tuple[tuple[int, ...], str]:
        """Return the piece of the tag that a line begins with, if any, and the rest of the line."""
        tag, space, rest = line.partition(" ")
        return (self._tags[tag], rest) if space and tag in self._tags else ((), line)


def _problem(columns: Sequence[str]) -> str:
    """Return what is wrong with the columns of a line; empty if it is a pair."""
    count = len(columns)
    if count not in COLUMNS:
        return f"has {count_of(count, 'column')}, not 2 or 3"
    if count == 3 and not _ALIGNMENT.fullmatch(columns[2]):
        return "has a third column that is not a word alignment (there may be a tab in a sentence)"
    return ""
