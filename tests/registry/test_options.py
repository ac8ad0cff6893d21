"""Options come from a constructor's keyword-only parameters, and values are converted to their types or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry.options import OptionSpec, check_options, read_options, type_text


class Knot:
    def __init__(
        self, size: int, *, turns: int = 1, slack: float = 0.5, kind: Literal["reef", "bowline"] = "reef"
    ) -> None: ...


def knot_options() -> dict[str, OptionSpec]:
    """The options of the class above."""
    return read_options(Knot, ["size"], "knot")


def test_options_are_the_parameters_other_than_sizes():
    assert [str(spec) for spec in knot_options().values()] == [
        "turns: int = 1",
        "slack: float = 0.5",
        'kind: "reef" or "bowline" = \'reef\'',
    ]


class Positional:
    def __init__(self, size, turns: int = 1): ...


class Variadic:
    def __init__(self, size, **rest): ...


class Untyped:
    def __init__(self, size, *, turns=1): ...


class Required:
    def __init__(self, size, *, turns: int): ...


class Unreadable:
    def __init__(self, size, *, turns: Unknown = 1): ...  # noqa: F821 - what the test is about


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Positional, "'turns: .* keyword-only"),
        (Variadic, "rest' .* keyword-only"),
        (Untyped, "'turns' has no type"),
        (Required, "'turns' has no default"),
        (Unreadable, "signature"),
    ],
)
def test_an_unsuitable_constructor_is_refused_with_its_label(part, words):
    with pytest.raises(PluginError, match=f"the label: .*{words}"):
        read_options(part, ["size"], "the label")


def test_all_wrong_options_are_reported_at_once_with_the_accepted_ones():
    with pytest.raises(PluginError, match="knot: ") as caught:
        check_options({"turn": 3, "slack": "much", "kind": "granny"}, knot_options(), "knot")
    message = str(caught.value)
    assert "unknown option 'turn'. Did you mean 'turns'" in message
    assert "option 'slack' is 'much', but must be float." in message
    assert "option 'kind' is 'granny', but must be \"reef\" or \"bowline\"." in message
    assert "turns: int = 1; slack: float = 0.5; kind" in message


@dataclass
class Pair:
    first: int
    second: int


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        (float, 1, 1.0),
        (float, float("inf"), float("inf")),
        (int, 3, 3),
        (bool, False, False),
        (str, "ü", "ü"),
        (float | None, None, None),
        (float | None, 3, 3.0),
        (Literal["a", 2], 2, 2),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, float], [1, 2], (1, 2.0)),
        (list[str], ["a"], ["a"]),
        (dict[str, Any], {"a": [1]}, {"a": [1]}),
        (Any, [1, "a"], [1, "a"]),
        (Pair, {"first": 1, "second": 2}, Pair(1, 2)),
        (complex, 1j, 1j),
        (OptionSpec | None, OptionSpec("a", int, 1), OptionSpec("a", int, 1)),
    ],
)
def test_a_value_is_converted_to_the_type_of_its_option(kind, value, converted):
    accepted = check_options({"a": value}, {"a": OptionSpec("a", kind, None)}, "part")
    assert accepted == {"a": converted}
    assert type(accepted["a"]) is type(converted)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True),
        (int, 1.0),
        (int, "1"),
        (float, True),
        (float, "1"),
        (bool, 1),
        (str, 3),
        (int | None, "a"),
        (Literal["a"], "b"),
        (tuple[int, int], [1]),
        (tuple[int, ...], 1),
        (list[str], [1]),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(kind, value):
    with pytest.raises(PluginError, match="option 'a' is .*, but must be"):
        check_options({"a": value}, {"a": OptionSpec("a", kind, None)}, "part")


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (float, "float"),
        (int | None, "int or None"),
        (Literal["tanh", 2], '"tanh" or 2'),
        (tuple[int, ...], "tuple of int"),
        (list[str], "list of str"),
    ],
)
def test_types_are_described_in_words(annotation, text):
    assert type_text(annotation) == text
