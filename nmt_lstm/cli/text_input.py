"""The text that a command writes a line for each line of: warnings if there is none, and if it looks like a table."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nmt_lstm.cli.lines import input_lines, name_of

__all__ = ["check_text", "checked_text", "text_lines"]

# Lines by which tables are recognised, and the share of them with a tab, as in training text. A single line does not tell.
FIRST_LINES = 20
MIN_LINES = 2
MOST = 0.5

logger = logging.getLogger(__name__)


def text_lines(path: Path | None, purpose: str) -> Iterator[str]:
    """Yield the lines of a file or of stdin, as `checked_text` of `input_lines`.

    Raises:
        DataError: as for `input_lines`.
    """
    return checked_text(input_lines(path), path, purpose)


def checked_text(lines: Iterable[str], path: Path | None, purpose: str) -> Iterator[str]:
    """Yield lines, and warn if there are none, or if most of the first ones have tabs.

    Empty input is not an error: of many files, or of a pipe, some may be empty, and the output is then empty, too.

    Args:
        lines: the text.
        path: where it comes from, for messages.
        purpose: what the command does with each line, such as "translate".
    """
    count, with_tabs = 0, 0
    for line in lines:
        count += 1
        with_tabs += "\t" in line
        if count == FIRST_LINES:
            _warn_of_table(path, count, with_tabs)
        yield line
    if count < FIRST_LINES:
        _warn_of_table(path, count, with_tabs)
    if not count:
        logger.warning("'%s' is empty; there is nothing to %s.", name_of(path), purpose)


def check_text(lines: Sequence[str], path: Path | None, purpose: str) -> None:
    """Warn as `checked_text` does, of lines that have been read."""
    for _ in checked_text(lines, path, purpose):
        pass


def _warn_of_table(path: Path | None, count: int, with_tabs: int) -> None:
    if count < MIN_LINES or with_tabs <= MOST * count:
        return
    name = name_of(path)
    advice = (
        "keep only the column of the text, for example with: cut -f 1"
        if name == "stdin"
        else f"name the column of the text, such as {path}:1"
    )
    logger.warning(
        "%d of the first %d lines of '%s' contain tabs; if it is a table, %s", with_tabs, count, name, advice
    )
