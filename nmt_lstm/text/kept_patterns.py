"""Patterns of what a translation keeps as it is: placeholders, addresses, numbers, tags, and patterns of the user's own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence

from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.text.repetition_check import MAX_PART, check_pattern

__all__ = ["KEPT", "KeptPatterns"]

# Every repetition is bounded or cannot match what follows it, so that no text takes long.
KEPT = {
    "placeholders": (
        r"\$?\{\{[^{}]{1,100}\}\}|\$?\{[^{}]{0,100}\}"  # {name}, {0}, {}, {{ name }}, ${name}
        r"|%\([^()\s]{1,50}\)[-+#0-9.]{0,10}[diouxXeEfFgGcrsa]"  # %(count)d
        r"|%(?:[0-9]{1,2}\$)?[-+#0]{0,4}[0-9]{0,3}(?:\.[0-9]{1,3})?(?:hh?|ll?|[qjzt])?[diouxXeEfFgGcsp@](?![A-Za-z0-9_])"
        r"|%[A-Za-z_][A-Za-z0-9_.]{0,50}%"  # %name%
        r"|__[A-Za-z0-9]{1,50}(?:_[A-Za-z0-9]{1,50}){0,10}__"  # __NAME__
    ),
    "urls": r"(?<![A-Za-z0-9])(?:https?://|ftp://|www\.)[!-;=?-~]{0,2000}[A-Za-z0-9/_~%#=&+$@*-]",
    "emails": r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
    "numbers": (
        r"(?<![A-Za-z0-9_\u00c0-\u024f.,])[-+\u2212]?\d{1,40}(?:[.,:'\u2019\u202f/]\d{1,40}){0,10}"
        r"(?![A-Za-z0-9_\u00c0-\u024f])"
    ),
    "tags": (
        r"</?[A-Za-z][^<>]{0,10000}>|<!--[^<>]{0,10000}-->"
        r"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    ),
}
"""What `--keep` knows by name."""


class KeptPatterns:
    """Finds what is kept in a line.

    Args:
        names: of `KEPT`.
        patterns: regular expressions of Python's `re`, none of which can take exponential time.

    Raises:
        ConfigurationError: a name is unknown, or a pattern is not one, or could take very long.
    """

    def __init__(self, names: Sequence[str], patterns: Sequence[str] = ()) -> None:
        for key, values in (("keep", names), ("keep_patterns", patterns)):
            if isinstance(values, str):
                raise ConfigurationError(f"{key} is one string; give a list, such as [{values!r}].", key=key)
        for name in names:
            if name not in KEPT:
                raise ConfigurationError(
                    f"cannot keep '{name}', which is unknown.{nearest(name, KEPT)} Known: {', '.join(KEPT)}. Use "
                    f"--keep-pattern for a regular expression.",
                    key="keep",
                    value=name,
                    known=KEPT,
                )
        for pattern in patterns:
            check_pattern(pattern)
        self.names = tuple(dict.fromkeys(names))
        with warnings.catch_warnings(action="ignore"):
            self._own = [re.compile(pattern) for pattern in patterns]
        # In the order of KEPT: an address is one even if it contains a number.
        self._known = [re.compile(pattern) for name, pattern in KEPT.items() if name in self.names]

    def __bool__(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self._own or self._known)

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Return begin and end of each part that is kept; none overlap. Patterns of the user's own come first."""
        taken: list[tuple[int, int]] = []
        for pattern in (*self._own, *self._known):
            # What an earlier pattern has found separates the rest: no later match reaches across it.
            rest = _rest(taken, len(line))
            if pattern in self._own:
                rest = (part for start, end in rest for part in _parts(line, start, end))
            taken += [
                match.span()
                for start, end in [*rest]
                for match in pattern.finditer(line, start, end)
                if match[0].strip()
            ]
            taken.sort()
        return taken

    def found(self, line: str) -> list[str]:
        """Return the parts of a line that are kept, in order."""
        return [line[start:end] for start, end in self.spans(line)]


def _rest(taken: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Yield the intervals between those that are taken."""
    position = 0
    for start, end in taken:
        if position < start:
            yield position, start
        position = end
    if position < length:
        yield position, length


def _parts(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield parts of an interval that have few characters and end at a space if there is one."""
    while end - start > MAX_PART:
        space = line.rfind(" ", start, start + MAX_PART)
        middle = space + 1 if space > start else start + MAX_PART
        yield start, middle
        start = middle
    yield start, end
