"""Standard input can be read only once, whatever the command."""

from __future__ import annotations

from types import SimpleNamespace as Namespace

import pytest

from nmt_lstm.cli.standard_input import check_read_once
from nmt_lstm.errors import ConfigurationError


def option(name: str, *opts: str, metavar: str = "FILE") -> Namespace:
    return Namespace(name=name, opts=list(opts), metavar=metavar)


OPTIONS = [
    option("input_file", "--input", "-i"),
    option("output_file", "--output", "-o"),
    option("prefixes", "--prefixes"),
    option("prefix", "--prefix", metavar="TEXT"),
    option("tune", "--tune", metavar="FILE..."),
]


@pytest.mark.parametrize(
    ("values", "key", "value"),
    [
        ({"input_file": "-", "prefixes": "-"}, "--prefixes", "-"),
        ({"input_file": "-", "prefixes": "/dev/stdin"}, "--prefixes", "/dev/stdin"),
        ({"input_file": "-:1", "prefixes": "-:2"}, "--prefixes", "-:2"),
        ({"input_file": "in", "tune": ["-", "-"]}, "--tune", "-"),
        ({"prefixes": "-"}, "--prefixes", "-"),
    ],
)
def test_a_second_reader_is_refused_by_name(values, key, value) -> None:
    with pytest.raises(ConfigurationError, match="only once") as caught:
        check_read_once("translate", OPTIONS, values)
    assert (caught.value.key, caught.value.value) == (key, value)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"input_file": "-", "output_file": "-"},
        {"input_file": "in", "prefixes": "-"},
        {"input_file": "-", "prefix": "-", "tune": ["a", "b"]},
    ],
)
def test_one_reader_is_enough(values) -> None:
    check_read_once("translate", OPTIONS, values)


@pytest.mark.parametrize(
    "arguments",
    [
        ("translate", "-m", "x", "--prefixes", "-"),
        ("translate", "-m", "x", "-i", "-", "--constraints=-"),
        ("translate", "-m", "x", "-i", "in", "--terms", "-", "--avoid", "-"),
        ("score", "-m", "x", "-s", "-", "-t", "-"),
        ("evaluate", "--hypotheses", "-", "-r", "-"),
        ("evaluate", "-m", "x", "-s-", "-r", "a", "-r", "-"),
        ("rescore", "-w", "w", "--tune", "-"),
        ("inspect", "-m", "x", "-i", "-", "--corpus", "-"),
        ("train", "-s", "-", "-t", "-"),
    ],
)
def test_every_command_refuses_a_second_reader_at_once(command, arguments) -> None:
    finished = command(*arguments, stdin=b"a\nb\n")
    assert (finished.status, "only once" in finished.error) == (2, True)


def test_a_text_that_is_read_several_times_cannot_be_standard_input(command, tmp_path) -> None:
    (tmp_path / "a").write_text("a\n")
    assert "Standard input" in command("train", "-s", "-", "-t", "a", stdin=b"a\n").error
