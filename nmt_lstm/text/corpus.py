"""Parallel text: the pairs of two line-aligned files, and an explanation if their lengths differ.

Text without pairs, that of a language model, is one file: its target is None, and each line is paired with itself. So
all that is done with pairs, such as holding some out or leaving duplicates out, is done with its lines too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nmt_lstm.errors import DataError
from nmt_lstm.text.misalignment import find_misalignment, lengths_are_related
from nmt_lstm.text.text_file import check_rereadable, count_lines, read_lines

__all__ = ["check_lengths", "count_usable", "read_parallel"]


def read_parallel(source: Path, target: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the pairs of two line-aligned files; without a target, each line of the source with itself.

    Raises:
        DataError: a file is a pipe, cannot be read or is empty, or the files differ in length.
    """
    check_rereadable(source, target)  # files of different lengths are read again for the message
    count = 0
    if target is None:
        for line in read_lines(source):
            count += 1
            yield line, line
        if not count:
            raise _empty(source)
        return
    source_lines, target_lines = read_lines(source), read_lines(target)
    for source_line in source_lines:
        count += 1
        target_line = next(target_lines, None)
        if target_line is None:
            raise _different_lengths(source, target)
        yield source_line, target_line
    if next(target_lines, None) is not None:
        raise _different_lengths(source, target)
    if not count:
        raise _empty(source)


def check_lengths(source: Path, target: Path | None) -> int:
    """Return the number of pairs of two line-aligned files, or of lines of one file, without decoding them.

    Raises:
        DataError: a file is a pipe or cannot be read, or the files are empty or differ in length.
    """
    check_rereadable(source, target)
    count = count_lines(source)
    if target is not None and count_lines(target) != count:
        raise _different_lengths(source, target)
    if not count:
        raise _empty(source)
    return count


def count_usable(source: Path, target: Path | None) -> int:
    """Return how many pairs of two line-aligned files have text on both sides, so that a model can learn from them.

    Raises:
        DataError: as for `read_parallel`, or all lines of a file are blank.
    """
    # Keys: whether the source side and the target side have text.
    pairs = Counter((bool(one.strip()), bool(other.strip())) for one, other in read_parallel(source, target))
    usable = pairs[True, True]
    blank = [
        f"'{path}'"
        for path, key in ((source, (True, False)), (target, (False, True)))
        if path is not None and not usable + pairs[key]
    ]
    if blank:
        raise DataError(
            f"{' and '.join(blank)} {'holds' if len(blank) == 1 else 'hold'} only blank lines; a model learns from "
            f"{'lines with text' if target is None else 'pairs of lines with text on both sides'}."
        )
    return usable


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
