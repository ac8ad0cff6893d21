"""What the parser would take without a word, or refuse without a hint: for every command at once."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from nmt_lstm.cli.app import app


def options_of(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every option of a command and of those below it, with the words that lead to it."""
    found = [(path, each) for each in command.params if each.param_type_name == "option"]
    for name, inner in vars(command).get("commands", {}).items():
        found += options_of(inner, (*path, name))
    return found


SINGLE = [
    (path, option)
    for path, option in options_of(typer.main.get_command(app))
    if not option.multiple and not option.is_eager
]


def test_options_are_found() -> None:
    names = {(path, option.opts[0]) for path, option in SINGLE}
    assert {(("translate",), "--input"), (("leaderboard", "init"), "--source")} <= names


def test_every_option_that_is_no_list_is_refused_when_it_is_repeated(command) -> None:
    for path, option in SINGLE:
        words = [option.opts[-1]] if option.is_flag else [option.opts[-1], "1"]
        finished = command(*path, *words, *words)
        assert (finished.status, len(finished.err.splitlines())) == (2, 1), (path, option.opts, finished.err)
        assert f"'{option.opts[-1]}' was given 2 times" in finished.err


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (("evaluate", "--hypotheses", "a", "-r", "r", "--hypotheses", "b"), "'a' and 'b'"),
        (("train", "-s", "a", "--source", "b", "-t", "c"), "'a' and 'b'"),
        (("translate", "-m", "x", "-i", "a", "--input=b"), "'a' and 'b'"),
        (("translate", "-m", "x", "-b5", "-b6"), "'5' and '6'"),
        (("train", "--seed", "1", "--cell", "--seed", "--seed=1"), "'1' and '1'"),
    ],
)
def test_long_short_and_joined_names_are_the_same_option_and_all_values_are_shown(
    command, arguments, values
) -> None:
    finished = command(*arguments)
    assert finished.status == 2
    assert "2 times" in finished.err
    assert values in finished.err


def test_lists_are_lists(command) -> None:
    text = command("config", "--set", "training.epochs=3", "--set", "model.dropout=0.1").out.decode()
    assert "\nepochs = 3\n" in text
    assert "\ndropout = 0.1\n" in text


def test_a_key_that_is_set_twice_is_refused(command) -> None:
    finished = command("config", "--set", "training.epochs=3", "--set", "training.epochs = 4")
    assert finished.status == 2
    assert "training.epochs was given 2 times" in finished.err
    assert "'3' and '4'" in finished.err


def test_help_answers_whatever_else_there_is(command) -> None:
    finished = command("translate", "-i", "a", "-i", "b", "--help")
    assert (finished.status, finished.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "value", "bound"),
    [
        (("translate", "-m", "x", "--beam-size", "five"), "'five'", "1 or more"),
        (("translate", "-m", "x", "--n-best=2.5"), "'2.5'", "1 or more"),
        (("train", "--seed", "-1"), "'-1'", "0 or more"),
    ],
)
def test_a_number_that_is_none_is_named_with_what_is_allowed(command, arguments, value, bound) -> None:
    finished = command(*arguments)
    assert finished.status == 2
    assert value in finished.err
    assert f"whole number of {bound}" in finished.err
    assert len(finished.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "correct"),
    [
        (("translate", "-m", "M", "a sentence"), "echo 'a sentence' | nmt-lstm translate -m M"),
        (("translate", "it", "rains"), "echo 'it rains' | nmt-lstm translate -m FOLDER"),
        (("translate", "-m", "M", "text.de"), "nmt-lstm translate -m M -i text.de"),
        (("train", "a.de", "a.en"), "nmt-lstm train -s a.de -t a.en"),
        (
            ("train", "a.de", "a.en", "b.de", "b.en"),
            "nmt-lstm train -s a.de -t a.en --valid-source b.de --valid-target b.en",
        ),
        (("evaluate", "out.en", "ref.en"), "nmt-lstm evaluate --hypotheses out.en --reference ref.en"),
        (
            ("evaluate", "out.en", "-r", "ref.en"),
            "nmt-lstm evaluate --reference ref.en --hypotheses out.en",
        ),
        (("export", "runs/a", "b"), "nmt-lstm export --model runs/a --output b"),
        (("quickstart", "runs/a"), "nmt-lstm quickstart --output runs/a"),
    ],
)
def test_arguments_without_their_options_are_answered_with_the_command(
    command, tmp_path, arguments, correct
) -> None:
    (tmp_path / "text.de").write_text("ein Satz\n")
    finished = command(*arguments)
    assert finished.status == 2
    assert correct in finished.err
    assert len(finished.err.splitlines()) == 1


def test_training_text_in_place_of_a_run_file_is_answered_with_the_options(command, tmp_path) -> None:
    (tmp_path / "a.de").write_text("ein Satz\n")
    finished = command("train", "a.de")
    assert finished.status == 2
    assert "nmt-lstm train -s a.de -t FILE" in finished.err
