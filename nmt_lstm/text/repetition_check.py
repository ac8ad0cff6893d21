"""Refusing regular expressions that could take exponential time: Python's `re` tries every way to match, without a limit.

A repeated group is dangerous if its content can match the same text in several ways, as in ``(a+)+`` or ``(a|a)*``. So a
group that is repeated may contain neither repetitions nor alternatives, unless it is atomic, ``(?>...)``, or the repetition
possessive, ``++``. A few repetitions one after the other take polynomial time; the number of combinations of their lengths is
limited, and so is the text that is searched at a time.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

from nmt_lstm.errors import ConfigurationError

__all__ = ["MAX_PART", "check_pattern"]

MAX_PART = 500
"""Characters in which a pattern is searched at a time, which bounds the time of a polynomial one."""

MAX_PATTERN_LENGTH = 500
MAX_REPETITIONS = 2
"""Unlimited repetitions in one pattern: n characters take up to n ** 3 steps with 2 of them."""
MAX_VARIABLE = 12
"""Limited repetitions and optional parts."""
MAX_COMBINATIONS = 4 * MAX_PART**2
"""Combinations of the lengths of all repetitions, such as those of two unlimited ones and two optional parts."""

# One element of a pattern: an escape, a set, a comment, the beginning of a group, or a single character.
_ELEMENT = re.compile(
    r"""
    \\(?:[xuUN].|[0-9]+|.)            # escape
    | \[\^?\]?(?:\\.|[^\]\\])*+\]     # set
    | \(\?(?:\#[^)]*|P=\w+)\)         # comment, or reference to a group
    | \((?:\?(?:P<\w+>|<?[=!]|[:>]))? # beginning of a group
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d*)(,?)(\d*)\})([?+]?)")


@dataclass
class _Group:
    is_atomic: bool = False
    is_variable: bool = False
    """Whether it can match the same text in several ways."""


def check_pattern(pattern: str) -> None:
    """Check that a regular expression is one, and cannot take exponential time.

    Raises:
        ConfigurationError: it is not, or it could.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise _refusal(
            pattern,
            f"it has {len(pattern)} characters, and at most {MAX_PATTERN_LENGTH} are allowed; use several patterns",
        )
    try:
        with warnings.catch_warnings(action="ignore"):  # about sets that may change their meaning one day
            compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        raise _refusal(pattern, f"it is not a regular expression: {problem}") from None
    if compiled.flags & re.VERBOSE:
        raise _refusal(pattern, "the flag x is not supported; write it without spaces")
    if compiled.match("") is not None:
        raise _refusal(pattern, "it matches an empty text; use + instead of *")
    _check_repetitions(pattern)


def _check_repetitions(pattern: str) -> None:
    groups = [_Group()]
    unlimited = variable = position = 0
    combinations = 1
    while position < len(pattern):
        element = _ELEMENT.match(pattern, position)
        if element is None:
            break
        position = element.end()
        text = element[0]
        if text.startswith("(?P=") or re.fullmatch(r"\\[1-9]\d*", text):
            raise _refusal(pattern, "it refers back to a group, which can take very long")
        if text.startswith("(?#"):
            continue
        if text.startswith("("):
            groups.append(_Group(is_atomic=text == "(?>"))
            continue
        if text == "|":
            groups[-1].is_variable = True
            continue
        content = groups.pop() if text == ")" and len(groups) > 1 else _Group()
        several = content.is_variable and not content.is_atomic
        if quantifier := _quantifier(pattern, position):
            position = quantifier.end()
            most = _most(quantifier)
            if several and most != 1 and quantifier[4] != "+":
                raise _refusal(
                    pattern,
                    f"'{quantifier[0]}' repeats a group that contains repetitions or alternatives, which can take very "
                    f"long; make that group atomic, (?>...), or use a set, [...]",
                )
            if quantifier[4] != "+" and not _is_fixed(quantifier):
                several = True
                unlimited += most is None
                variable += most is not None
                combinations *= MAX_PART if most is None else min(MAX_PART, most - _least(quantifier) + 1)
        groups[-1].is_variable |= several
    if unlimited > MAX_REPETITIONS or variable > MAX_VARIABLE:
        raise _refusal(
            pattern,
            f"it has {unlimited} unlimited and {variable} limited repetitions; {MAX_REPETITIONS} and {MAX_VARIABLE} are "
            f"allowed, and any number of possessive ones, such as *+",
        )

    if combinations > MAX_COMBINATIONS:
        raise _refusal(
            pattern,
            f"its repetitions have {combinations:,} combinations of lengths, which can take very long; {MAX_COMBINATIONS:,} "
            f"are allowed. Use smaller limits, or possessive ones, such as {{1,99}}+",
        )


def _quantifier(pattern: str, position: int) -> re.Match[str] | None:
    match = _QUANTIFIER.match(pattern, position)
    # {} and {,} without a number, or {a}, are text; "{,3}" is a quantifier.
    return match if match and (match[0][0] != "{" or match[1] or match[3]) else None


def _most(quantifier: re.Match[str]) -> int | None:
    """Return how often it repeats at most; None is without limit."""
    if quantifier[0][0] in "*+":
        return None
    if quantifier[0][0] == "?":
        return 1
    if not quantifier[2]:
        return int(quantifier[1])
    return int(quantifier[3]) if quantifier[3] else None


def _least(quantifier: re.Match[str]) -> int:
    """Return how often it repeats at least."""
    if quantifier[0][0] != "{":
        return int(quantifier[0][0] == "+")
    return int(quantifier[1] or 0)


def _is_fixed(quantifier: re.Match[str]) -> bool:
    return quantifier[0][0] == "{" and (not quantifier[2] or quantifier[1] == quantifier[3])


def _refusal(pattern: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"the pattern '{pattern[:60]}' cannot be used: {reason}.", key="keep_patterns", value=pattern
    )
