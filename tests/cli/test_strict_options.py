"""Repeated options, invalid numbers and stray arguments, for all commands."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from nmt_lstm.cli.app import app


def options_of(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every option of a command and of its subcommands, with the words that lead to it."""
    options = [(path, each) for each in command.params if each.param_type_name == "option"]
    for name, inner in vars(command).get("commands", {}).items():
        options += options_of(inner, (*path, name))
    return options


SINGLE = [
    (path, option)
    for path, option in options_of(typer.main.get_command(app))
    if not option.multiple and not option.is_eager
]


def test_the_list_of_options_is_complete() -> None:
    names = {(path, option.opts[0]) for path, option in SINGLE}
    assert {(("translate",), "--input"), (("leaderboard", "init"), "--source")} <= names


def test_every_option_with_one_value_may_be_given_once(command) -> None:
    for path, option in SINGLE:
        words = [option.opts[-1]] if option.is_flag else [option.opts[-1], "1"]
        finished = command(*path, *words, *words)
        assert (finished.status, len(finished.err.splitlines())) == (2, 1), (path, option.opts, finished.err)
        assert f"'{option.opts[-1]}' was given 2 times" in finished.err


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (("evaluate", "--hypotheses", "a", "-r", "r", "--hypotheses", "b"), "'a' and 'b'"),
        (("translate", "-m", "x", "-i", "a", "--input=b"), "'a' and 'b'"),
        (("translate", "-m", "x", "-b5", "-b6"), "'5' and '6'"),
        (("train", "--seed", "1", "--cell", "--seed", "--seed=1"), "'1' and '1'"),
    ],
)
def test_the_error_shows_all_values_of_long_short_and_joined_names(command, arguments, values) -> None:
    finished = command(*arguments)
    assert finished.status == 2
    assert "2 times" in finished.err
    assert values in finished.err


def test_repeatable_options_may_be_repeated(command) -> None:
    text = command("config", "--set", "training.epochs=3", "--set", "model.dropout=0.1").text
    assert "\nepochs = 3\n" in text
    assert "\ndropout = 0.1\n" in text


def test_a_key_may_be_set_once(command) -> None:
    finished = command("config", "--set", "training.epochs=3", "--set", "training.epochs = 4")
    assert finished.status == 2
    assert "training.epochs was given 2 times" in finished.err
    assert "'3' and '4'" in finished.err


def test_help_works_despite_other_errors(command) -> None:
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
def test_an_invalid_number_is_reported_with_its_bound(command, arguments, value, bound) -> None:
    finished = command(*arguments)
    assert finished.status == 2
    assert value in finished.error
    assert f"whole number of {bound}" in finished.error


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
def test_the_error_for_a_stray_argument_suggests_a_command(command, tmp_path, arguments, correct) -> None:
    (tmp_path / "text.de").write_text("ein Satz\n")
    finished = command(*arguments)
    assert finished.status == 2
    assert correct in finished.error


def test_the_error_for_training_text_as_run_file_suggests_a_command(command, tmp_path) -> None:
    (tmp_path / "a.de").write_text("ein Satz\n")
    finished = command("train", "a.de")
    assert finished.status == 2
    assert "nmt-lstm train -s a.de -t FILE" in finished.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("translate", "-m", "x", "--keep", ""), "'--keep' is empty; give it a value, or leave it out"),
        (("translate", "-m", "x", "--tag="), "'--tag' is empty"),
        (("translate", "-m", ""), "'--model' / '-m' is empty; give it a value."),
        (("train", "-s", "a", "", "-t", "b"), "'--source' / '-s' is empty"),
        (("train", " "), "'RUN.toml' is empty"),
        (("leaderboard", "add", "", "x"), "'BOARD' is empty"),
    ],
)
def test_an_empty_value_is_refused(command, arguments, message) -> None:
    finished = command(*arguments)
    assert (finished.status, len(finished.err.splitlines())) == (2, 1)
    assert message in finished.err


def test_only_a_prompt_may_be_empty(command) -> None:
    assert "is empty" not in command("generate", "-m", "gone", "--prompt", "").err
