"""Regular expressions that could take exponential time are refused; usual ones are not."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.repetition_check import check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+", r"(?:a|a)+b", r"(a?){30}a{30}", r"((ab)+c)+d", r"(a(b|c))+", r"(?i:a*b)+", r"(a{1,9}){2,}",
        r"(?P<n>a+)+", r"([)]+)+x",
    ],
)  # fmt: skip
def test_a_repeated_group_with_a_choice_is_refused(pattern) -> None:
    with pytest.raises(ConfigurationError, match="atomic") as refused:
        check_pattern(pattern)
    assert refused.value.value == pattern


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("[", "not a regular"), ("a*", "empty"), ("", "empty"), (r"(\w)\1", "refers"), (r"(?P<a>x)(?P=a)", "refers"),
        (r"a*b*c*d", "unlimited"), ("a?" * 13 + "b", "limited"), ("x{1,99}" * 6 + "z", "combinations"),
        ("x{1,5000}" * 3 + "y", "combinations"), ("x{1,900}" * 4 + "z", "combinations"), ("(?x) a", "flag"), ("a" * 501, "501"),
        ("(" * 300, "not a regular"),
    ],
)  # fmt: skip
def test_what_else_is_refused(pattern, word) -> None:
    with pytest.raises(ConfigurationError, match=word):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\{\w+\}", r"(?:ab)+", r"(?>a|aa)+b", r"(?:a+)++", r"(?:JIRA|ABC)-\d+", r"(?i)ab", r"[(+*]+", r"\(\w+\)",
        r"#\d{2,3}", "x{,3}y", "[]a]+", r"(?<=a)b", "a{b}", r"\d+(?:\.\d)?", r"(?#a+)b", r"\d+(?:\.\d+)?", r"\w+[.-]?\w+[.-]?",
    ],
)  # fmt: skip
def test_usual_patterns_are_accepted(pattern) -> None:
    check_pattern(pattern)
