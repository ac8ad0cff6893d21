"""``leaderboard``: from creating a board to its web page, exit statuses, errors of one line."""

from __future__ import annotations

import json
import os

import pytest

from nmt_lstm.lab.leaderboard.record import Facts

COMMANDS = ["init", "add", "show", "compare", "remove", "rescore", "verify"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_in_its_help(command, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    finished = command("leaderboard", name, "--help")
    assert finished.status == 0
    assert f"  nmt-lstm leaderboard {name}" in finished.text.partition("Example")[2]
    assert max(map(len, finished.lines)) <= 80


def test_help_lists_every_command_on_one_whole_line(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = command("leaderboard", "--help").text
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.partition("Commands:")[2].partition("Examples")[0]


def test_facts_are_stored(command, board):
    command(
        "leaderboard", "add", "board", "--system", "marian", "--hypotheses", "bad",
        "--fact", "parameters=60000000", "--fact", "hardware=one = two",
    )  # fmt: skip
    values = json.loads(command("leaderboard", "show", "board", "--format", "json").out)
    facts = next(row["facts"] for row in values["rankings"][0]["rows"] if row["system"] == "marian")
    assert (facts["parameters"], facts["hardware"]) == (60_000_000, "one = two")


def test_remove_removes_a_system_from_the_rankings(command, board):
    assert command("leaderboard", "remove", "board", "bad").err == "Removed 'bad' from hills.\n"
    assert "bad" not in command("leaderboard", "show", "board").text


def test_rescore_and_verify_find_no_changes_at_first(command, board):
    finished = command("leaderboard", "rescore", "board")
    assert (finished.status, finished.err) == (0, "2 rows scored again; 0 changed.\n")
    finished = command("leaderboard", "verify", "board")
    assert (finished.status, finished.err) == (0, "2 rows and 4 texts checked; 0 problems.\n")


def append_to_lines(path, text):
    path.write_text("".join(f"{line}{text}\n" for line in path.read_text().splitlines()))


def test_rescore_and_verify_report_changed_texts(command, board):
    append_to_lines(board.parent / "ref", " Really.")
    finished = command("leaderboard", "verify", "board")
    assert finished.status == 1
    assert "'hills'" in finished.lines[0]
    finished = command("leaderboard", "rescore", "board", "--update")
    assert finished.status == 0
    assert finished.lines[0].startswith("good on hills: updated: references ")
    assert finished.err == "2 rows scored again; 2 changed.\n"
    append_to_lines(board.parent / "src", " Wirklich.")
    finished = command("leaderboard", "rescore", "board", "--update")
    assert finished.status == 1
    assert "not updated" in finished.lines[0]


def test_a_model_translates_the_test_sets(command, board, random_model_folder):
    for name in ("src", "ref"):
        path = board.parent / name
        path.write_text("".join(f"{line}\n" for line in path.read_text().splitlines()[:3]))
    assert command("leaderboard", "init", "bare", "-s", "src", "-r", "ref", "--no-copies").status == 0
    assert "copy_test_sets = false" in (board.parent / "bare" / "board.toml").read_text()
    assert command("leaderboard", "init", "few", "-s", "src", "-r", "ref").status == 0
    finished = command(
        "leaderboard", "add", "few", "-m", random_model_folder, "--system", "tiny", "--beam-size", "1"
    )
    assert finished.status == 0, finished.err
    assert "test: 3 sentences translated in " in finished.err
    assert finished.lines[0].startswith("test  tiny  BLEU ")
    again = command(
        "leaderboard", "add", "few", "-m", random_model_folder, "--system", "tiny", "--beam-size", "1"
    )
    assert again.status == 0
    assert "tiny is already on test" in again.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("show", "none"), 2, "'none' is not a leaderboard"),
        (("show", "board", "--metric", "blue"), 2, "Did you mean 'bleu'?"),
        (("show", "board", "--baseline", "god"), 2, "Did you mean 'good'?"),
        (("show", "board", "--test-set", "hill"), 2, "Did you mean 'hills'?"),
        (("show", "board", "-o", "none/x.html"), 1, "folder 'none' does not exist"),
        (("add", "board"), 2, "name either -m FOLDER"),
        (("add", "board", "--hypotheses", "good"), 2, "--system marian"),
        (("add", "board", "--hypotheses", "none", "--system", "x"), 1, "'none' does not exist."),
        (("add", "board", "--hypotheses", "short", "--system", "x"), 1, "'short' has 19 lines"),
        (("add", "board", "--hypotheses", "bad", "--system", "good"), 1, "already has a different output"),
        (("add", "board", "--hypotheses", "bad", "--system", "x", "--fact", "seed"), 2, "--fact 'seed'"),
        (("add", "board", "--hypotheses", "bad", "--system", "x", "--fact", "sed=1"), 2, "unknown fact 'sed'"),
        (("add", "board", "-m", "none"), 1, "model folder 'none' does not exist"),
        (("compare", "board", "good", "god"), 2, "has no system 'god'"),
        (("remove", "board", "god"), 2, "has no system 'god'"),
        (("init", "board", "-s", "src", "-r", "ref"), 2, "already"),
        (("init", "new"), 2, "name source and references"),
        (("init", "new", "-s", "src", "-r", "none"), 1, "none' does not exist."),
        (("init", "new", "--sacrebleu", "wmt71/en-de"), 2, "sacreBLEU has no test set 'wmt71'"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_one_line_and_change_nothing(command, board, arguments, status, message):
    before = (board / "rows.jsonl").read_bytes()
    finished = command("leaderboard", *arguments)
    assert finished.status == status
    assert message in finished.error
    assert (board / "rows.jsonl").read_bytes() == before
    assert not (board.parent / "new").exists()


def test_a_changed_row_is_an_error(command, board):
    path = board / "rows.jsonl"
    path.write_text(path.read_text().replace('"good"', '"best"'))
    finished = command("leaderboard", "show", "board")
    assert finished.status == 1
    assert "rows.jsonl', line 1" in finished.error


def test_a_pipe_cannot_be_a_test_set(command, board_texts):
    os.mkfifo(board_texts / "pipe")
    finished = command("leaderboard", "init", "piped", "-s", "src", "-r", "pipe")
    assert finished.status == 1
    assert "'pipe' is a pipe" in finished.err.replace(f"{board_texts}/", "")
    assert not (board_texts / "piped").exists()


def test_a_test_set_may_have_two_references(command, board_texts):
    command("leaderboard", "init", "two", "-s", "src", "-r", "ref", "-r", "good", "--source-language", "de")
    assert command("leaderboard", "add", "two", "--system", "bad", "--hypotheses", "bad").status == 0
    assert "nrefs:2" in command("leaderboard", "show", "two").text


def test_the_help_lists_all_facts(command):
    text = " ".join(command("leaderboard", "add", "--help").text.split())
    for name in set(Facts.model_fields) - {"models", "versions", "run_files"}:
        assert name in text
