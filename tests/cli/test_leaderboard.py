"""The leaderboard at the shell: a board from nothing to a page, exit statuses, errors of one line."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from nmt_lstm.lab.leaderboard.record import Facts

COMMANDS = ["init", "add", "show", "compare", "remove", "rescore", "verify"]
REFERENCES = [f"The {word} dog runs over the {number} hills." for number, word in enumerate("abcdefghij" * 2)]


@pytest.fixture
def texts(tmp_path):
    def write(name: str, lines: list[str]) -> None:
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    write("ref", REFERENCES)
    write("src", [f"Der {line}" for line in REFERENCES])
    write("good", [line.replace("runs over", "runs on") for line in REFERENCES])
    write("bad", [line.replace("dog runs over the", "cat over") for line in REFERENCES])
    write("short", REFERENCES[:-1])
    return tmp_path


@pytest.fixture
def board(command, texts):
    """A board with two systems, made at the shell."""
    made = command("leaderboard", "init", "board", "--name", "hills", "-s", "src", "-r", "ref")
    assert made.status == 0
    assert made.err.splitlines()[0].startswith("Made 'board/board.toml'")
    assert "\n  nmt-lstm leaderboard add board --system NAME --hypotheses FILE\n" in made.err
    for name in ("good", "bad"):
        added = command("leaderboard", "add", "board", "--system", name, "--hypotheses", name)
        assert added.status == 0, added.err
        assert added.lines[0].startswith(f"hills  {name}  BLEU ")
    return texts / "board"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_in_its_help(command, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    finished = command("leaderboard", name, "--help")
    assert finished.status == 0
    assert f"  nmt-lstm leaderboard {name}" in finished.out.decode().partition("Example")[2]
    assert max(map(len, finished.lines)) <= 80


def test_help_lists_every_command_on_one_whole_line(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = command("leaderboard", "--help").out.decode()
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.partition("Commands:")[2].partition("Examples")[0]


def test_show_ranks_the_systems(command, board):
    finished = command("leaderboard", "show", "board")
    assert finished.status == 0, finished.err
    rows = [line.split() for line in finished.lines[3:5]]
    assert [row[:2] for row in rows] == [["1", "good"], ["2", "bad"]]
    assert "vs good" in command("leaderboard", "show", "board", "--baseline", "good").out.decode()
    by_ter = command("leaderboard", "show", "board", "--metric", "ter").lines
    assert by_ter[2].split()[2] == "TER"


def test_show_writes_all_formats(command, board):
    values = json.loads(command("leaderboard", "show", "board", "--format", "json").out)
    assert [row["system"] for row in values["rankings"][0]["rows"]] == ["good", "bad"]
    rows = csv.DictReader(
        io.StringIO(command("leaderboard", "show", "board", "--format", "csv").out.decode())
    )
    assert [row["system"] for row in rows] == ["good", "bad"]
    assert command("leaderboard", "show", "board", "--format", "markdown").lines[0].startswith("### hills")
    for name, start in (
        ("x.html", "<!doctype html>"),
        ("x.md", "###"),
        ("x.csv", "test_set"),
        ("x.json", "{"),
        ("x", "hills"),
    ):
        assert command("leaderboard", "show", "board", "-o", name).status == 0
        assert (board.parent / name).read_text(encoding="utf-8").startswith(start)


def test_compare_shows_tests_and_sentences(command, board):
    finished = command("leaderboard", "compare", "board", "good", "bad", "--sentences", "1")
    assert finished.lines[1].split()[0] == "BLEU"
    assert "Where they differ most" in finished.out.decode()
    values = json.loads(command("leaderboard", "compare", "board", "good", "bad", "--format", "json").out)
    assert values["metrics"]["bleu"]["significant"] is True
    assert len(values["sentences"]) == 10


def test_facts_are_kept(command, board):
    command(
        "leaderboard", "add", "board", "--system", "marian", "--hypotheses", "bad",
        "--fact", "parameters=60000000", "--fact", "hardware=one = two",
    )  # fmt: skip
    values = json.loads(command("leaderboard", "show", "board", "--format", "json").out)
    facts = next(row["facts"] for row in values["rankings"][0]["rows"] if row["system"] == "marian")
    assert (facts["parameters"], facts["hardware"]) == (60_000_000, "one = two")


def test_remove_takes_a_system_off(command, board):
    assert command("leaderboard", "remove", "board", "bad").err == "Removed 'bad' from hills.\n"
    assert "bad" not in command("leaderboard", "show", "board").out.decode()


def test_rescore_and_verify_find_nothing_at_first(command, board):
    finished = command("leaderboard", "rescore", "board")
    assert (finished.status, finished.err) == (0, "2 rows scored again; 0 changed.\n")
    finished = command("leaderboard", "verify", "board")
    assert (finished.status, finished.err) == (0, "2 rows and 4 texts checked; 0 problems.\n")


def test_rescore_and_verify_report_what_changed(command, board):
    (board.parent / "ref").write_text("".join(f"{line} Really.\n" for line in REFERENCES))
    finished = command("leaderboard", "verify", "board")
    assert finished.status == 1
    assert "'hills' has changed since good, bad" in finished.lines[0]
    finished = command("leaderboard", "rescore", "board", "--update")
    assert finished.status == 0
    assert finished.lines[0].startswith("good on hills: updated: references ")
    assert finished.err == "2 rows scored again; 2 changed.\n"
    (board.parent / "src").write_text("".join(f"{line} Wirklich.\n" for line in REFERENCES))
    finished = command("leaderboard", "rescore", "board", "--update")
    assert finished.status == 1
    assert "not updated: the source text has changed" in finished.lines[0]


def test_a_model_folder_is_translated(command, board, random_model_folder):
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
        (("show", "board", "--metric", "blue"), 2, "unknown metric 'blue'. Did you mean 'bleu'?"),
        (("show", "board", "--baseline", "god"), 2, "has no system 'god'. Did you mean 'good'?"),
        (("show", "board", "--test-set", "hill"), 2, "has no test set 'hill'. Did you mean 'hills'?"),
        (("show", "board", "-o", "none/x.html"), 1, "the folder 'none' does not exist; make it first."),
        (("add", "board"), 2, "name either -m FOLDER, or --hypotheses FILE with --system NAME."),
        (("add", "board", "--hypotheses", "good"), 2, "--hypotheses needs the name of the system"),
        (("add", "board", "--hypotheses", "none", "--system", "x"), 1, "'none' does not exist."),
        (("add", "board", "--hypotheses", "short", "--system", "x"), 1, "'short' has 19 lines"),
        (("add", "board", "--hypotheses", "bad", "--system", "good"), 1, "already has a different output"),
        (("add", "board", "--hypotheses", "bad", "--system", "x", "--fact", "seed"), 2, "must look like name=value"),
        (("add", "board", "--hypotheses", "bad", "--system", "x", "--fact", "sed=1"), 2, "unknown fact 'sed'. Did you"),
        (("add", "board", "-m", "none"), 1, "model folder 'none' does not exist"),
        (("compare", "board", "good", "god"), 2, "has no system 'god'"),
        (("remove", "board", "god"), 2, "has no system 'god'"),
        (("init", "board", "-s", "src", "-r", "ref"), 2, "'board' already contains a board"),
        (("init", "new"), 2, "name source and references, such as"),
        (("init", "new", "-s", "src", "-r", "none"), 1, "none' does not exist."),
        (("init", "new", "--sacrebleu", "wmt71/en-de"), 2, "sacreBLEU has no test set 'wmt71'"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_change_nothing(command, board, arguments, status, message):
    before = (board / "rows.jsonl").read_bytes()
    finished = command("leaderboard", *arguments)
    assert finished.status == status
    assert finished.err.startswith("nmt-lstm: error: ")
    assert message in finished.err
    assert len(finished.err.splitlines()) == 1
    assert (board / "rows.jsonl").read_bytes() == before
    assert not (board.parent / "new").exists()


def test_a_changed_row_is_one_line_too(command, board):
    path = board / "rows.jsonl"
    path.write_text(path.read_text().replace('"good"', '"best"'))
    finished = command("leaderboard", "show", "board")
    assert finished.status == 1
    assert "rows.jsonl', line 1, was changed: its checksum" in finished.err
    assert len(finished.err.splitlines()) == 1


def test_show_loads_no_torch(board):
    script = (
        f"import sys\nfrom nmt_lstm.cli.app import main\nmain(['leaderboard', 'show', {str(board)!r}])\n"
        f"sys.stderr.write(str('torch' in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stderr == "False"


def test_an_ending_that_names_no_format_is_refused(command, board):
    finished = command("leaderboard", "show", "board", "-o", "board.xlsx")
    assert finished.status == 2
    assert "'.xlsx'" in finished.err
    for known in (".md", ".csv", ".json", ".html", ".txt"):
        assert known in finished.err
    assert not (board.parent / "board.xlsx").exists()
    assert command("leaderboard", "show", "board", "-o", "board.xlsx", "--format", "csv").status == 0
    for name in ("board.TXT", "table"):
        assert command("leaderboard", "show", "board", "-o", name).status == 0


def test_names_of_systems_cannot_control_the_terminal(command, board):
    """A board may come from elsewhere, with rows that this program would not have written."""
    from nmt_lstm.lab.leaderboard.record import parse_record, to_line

    rows = board / "rows.jsonl"
    first, *rest = rows.read_text(encoding="utf-8").splitlines()
    record = parse_record(first, "").model_copy(update={"system": "evil\x1b[2J\x9b31m\u202eeman"})
    rows.write_text("".join(f"{line}\n" for line in (to_line(record), *rest)), encoding="utf-8")
    (board / "rows.head.json").unlink()
    for arguments in (("show", "board"), ("show", "board", "--format", "markdown"), ("verify", "board"),
                      ("show", "board", "--format", "json"), ("show", "board", "--format", "csv"),
                      ("compare", "board", "none", "x\x1b[2J")):  # fmt: skip
        finished = command("leaderboard", *arguments)
        shown = finished.out.decode() + finished.err
        assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    assert "evil\\x1b[2J\\x9b31m\\u202eeman" in command("leaderboard", "show", "board").out.decode()


def test_a_pipe_is_no_test_set_since_each_command_reads_it_again(command, texts):
    os.mkfifo(texts / "pipe")
    finished = command("leaderboard", "init", "piped", "-s", "src", "-r", "pipe")
    assert finished.status == 1
    assert "'pipe' is a pipe" in finished.err.replace(f"{texts}/", "")
    assert not (texts / "piped").exists()


def test_a_board_of_two_references_at_the_shell(command, texts):
    command("leaderboard", "init", "two", "-s", "src", "-r", "ref", "-r", "good", "--source-language", "de")
    assert command("leaderboard", "add", "two", "--system", "bad", "--hypotheses", "bad").status == 0
    assert "nrefs:2" in command("leaderboard", "show", "two").out.decode()


def test_the_help_of_facts_lists_the_known_ones(command):
    text = " ".join(command("leaderboard", "add", "--help").out.decode().split())
    for name in set(Facts.model_fields) - {"models", "versions", "run_files"}:
        assert name in text
