"""Parallel text: the pairs of line-aligned files, and an explanation if their lengths differ.

Text without pairs, that of a language model, has no target side: each line is paired with itself. So all that is done with
pairs, such as holding some out or leaving duplicates out, is done with its lines too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from nmt_lstm.config.schema_base import as_paths
from nmt_lstm.errors import DataError
from nmt_lstm.text.misalignment import find_misalignment, lengths_are_related
from nmt_lstm.text.text_file import check_rereadable, count_lines, read_lines, read_texts

__all__ = ["Side", "TextCounts", "check_lengths", "check_usable", "count_usable", "read_parallel"]

Side: TypeAlias = Path | Sequence[Path]
"""One side of a text: a file, or several that are read one after the other."""
_END = object()


def read_parallel(source: Side, target: Side | None) -> Iterator[tuple[str, str]]:
    """Yield the pairs of line-aligned files; several files of each side are paired by position.

    Without a target side, each line of the source is paired with itself.

    A path such as "pairs.tsv:1" is a column; lines with an unusual number of columns are left out on both sides.

    Raises:
        DataError: a file is a pipe, cannot be read or is empty, or files differ in length.
    """
    for source_file, target_file in _files(source, target):
        yield from _read_files(source_file, target_file)


def _read_files(source: Path, target: Path | None) -> Iterator[tuple[str, str]]:
    check_rereadable(source, target)  # files of different lengths are read again for the message
    count = 0
    if target is None:
        for line in read_lines(source):
            count += 1
            yield line, line
        if not count:
            raise _empty(source)
        return
    sides: Iterator[tuple[Any, Any]] = zip_longest(read_texts(source), read_texts(target), fillvalue=_END)
    for source_line, target_line in sides:
        count += 1
        if source_line is _END or target_line is _END:
            raise _different_lengths(source, target)
        if source_line is not None and target_line is not None:
            yield source_line, target_line
    if not count:
        raise _empty(source)


def check_lengths(source: Side, target: Side | None) -> int:
    """Return the number of lines of line-aligned files, or of files without a target side, without decoding them.

    Raises:
        DataError: a file is a pipe or cannot be read, or files are empty or differ in length.
    """
    total = 0
    for source_file, target_file in _files(source, target):
        check_rereadable(source_file, target_file)
        count = count_lines(source_file)
        if target_file is not None and count_lines(target_file) != count:
            raise _different_lengths(source_file, target_file)
        if not count:
            raise _empty(source_file)
        total += count
    return total


def _files(source: Side, target: Side | None) -> Iterator[tuple[Path, Path | None]]:
    """Return the files of both sides, paired by position.

    Raises:
        DataError: their numbers differ.
    """
    sources = as_paths(source)
    targets: tuple[Path | None, ...] = (None,) * len(sources) if target is None else as_paths(target)
    if len(sources) != len(targets):
        raise DataError(
            f"there are {len(sources)} source files but {len(targets)} target files; they are paired by position."
        )
    return zip(sources, targets, strict=True)


def count_usable(source: Side, target: Side | None) -> int:
    """Return how many pairs of line-aligned files have text on both sides, so that a model can learn from them.

    Raises:
        DataError: as for `read_parallel`, or all lines of a file are blank.
    """
    texts = TextCounts()
    for pair in read_parallel(source, target):
        texts.add(*pair)
    check_usable(source, target, texts)
    return texts.usable


@dataclass
class TextCounts:
    """How many pairs have text on which sides."""

    usable: int = 0
    source_only: int = 0
    target_only: int = 0
    blank: int = 0

    @property
    def pairs(self) -> int:
        """Number of all pairs."""
        return self.usable + self.source_only + self.target_only + self.blank

    def add(self, source: str, target: str) -> None:
        """Count a pair."""
        # The order of the checks is that of their frequency.
        if source.strip():
            if target.strip():
                self.usable += 1
            else:
                self.source_only += 1
        elif target.strip():
            self.target_only += 1
        else:
            self.blank += 1


def check_usable(source: Side, target: Side | None, texts: TextCounts) -> None:
    """Refuse a text without a pair that has text on both sides, given how many pairs have.

    Raises:
        DataError: all lines of a file are blank.
    """
    usable = texts.usable
    blank = [
        " and ".join(f"'{path}'" for path in as_paths(side))
        for side, others in ((source, texts.source_only), (target, texts.target_only))
        if side is not None and not usable + others
    ]
    if blank:
        raise DataError(
            f"{' and '.join(blank)} {'holds' if len(blank) == len(as_paths(source)) == 1 else 'hold'} only blank lines; a model "
            f"learns from {'lines with text' if target is None else 'pairs of lines with text on both sides'}."
        )


def _empty(source: Path) -> DataError:
    return DataError(f"'{source}' is empty; training and validation require at least one line.", path=source)


def _different_lengths(source: Path, target: Path) -> DataError:
    counts = count_lines(source), count_lines(target)
    return DataError(
        f"'{source}' has {counts[0]:,} lines and '{target}' has {counts[1]:,}; each line must have its translation on "
        f"the same line of the other file. {_first_sign(source, target, min(counts))}"
    )


def _first_sign(source: Path, target: Path, shared: int) -> str:
    """Say where the alignment seems to break: where lengths stop matching, else a line empty on one side, else the end."""
    lengths = [
        (len(one), len(other)) for one, other in zip(read_lines(source), read_lines(target), strict=False)
    ]
    line = find_misalignment(lengths)
    if not lengths_are_related(lengths[: line - 1] if line is not None else lengths):
        return "They do not look like two sides of the same text: their line lengths are uncorrelated."
    if line is not None:
        return f"The alignment seems to break near line {line:,}: from there on, line lengths do not match."
    for number, (one, other) in enumerate(zip(read_lines(source), read_lines(target), strict=False), 1):
        if bool(one.strip()) != bool(other.strip()):
            empty = source if other.strip() else target
            return f"Look at line {number:,} first, which is empty only in '{empty}'."
    return f"Line lengths match up to line {shared:,}, the end of the shorter file."
