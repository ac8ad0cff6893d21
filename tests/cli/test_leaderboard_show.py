"""``leaderboard show`` and ``compare``: rankings in all formats, and text that cannot control the terminal."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys


def test_show_ranks_the_systems(command, board):
    finished = command("leaderboard", "show", "board")
    assert finished.status == 0, finished.err
    rows = [line.split() for line in finished.lines[3:5]]
    assert [row[:2] for row in rows] == [["1", "good"], ["2", "bad"]]
    assert "vs good" in command("leaderboard", "show", "board", "--baseline", "good").text
    by_ter = command("leaderboard", "show", "board", "--metric", "ter").lines
    assert by_ter[2].split()[2] == "TER"


def test_show_writes_all_formats(command, board):
    values = json.loads(command("leaderboard", "show", "board", "--format", "json").out)
    assert [row["system"] for row in values["rankings"][0]["rows"]] == ["good", "bad"]
    rows = csv.DictReader(io.StringIO(command("leaderboard", "show", "board", "--format", "csv").text))
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


def test_compare_prints_metrics_and_sentences(command, board):
    finished = command("leaderboard", "compare", "board", "good", "bad", "--sentences", "1")
    assert finished.lines[1].split()[0] == "BLEU"
    assert "Sentences that differ most" in finished.text
    values = json.loads(command("leaderboard", "compare", "board", "good", "bad", "--format", "json").out)
    assert values["metrics"]["bleu"]["significant"] is True
    assert len(values["sentences"]) == 10


def test_show_loads_no_torch(board):
    script = (
        f"import sys\nfrom nmt_lstm.cli.app import main\nmain(['leaderboard', 'show', {str(board)!r}])\n"
        f"sys.stderr.write(str('torch' in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stderr == "False"


def test_an_unknown_extension_is_an_error(command, board):
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
        shown = finished.text + finished.err
        assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    assert "evil\\x1b[2J\\x9b31m\\u202eeman" in command("leaderboard", "show", "board").text
