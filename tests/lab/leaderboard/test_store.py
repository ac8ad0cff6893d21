"""The files: nothing is lost to concurrent writers, interruptions or a full disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.lab.leaderboard import record, store
from nmt_lstm.lab.leaderboard.record import Withdrawal, to_line
from nmt_lstm.lab.leaderboard.store import BoardFiles, current_rows
from nmt_lstm.lab.leaderboard.test_sets import digest_of

WRITER = """
import sys
from pathlib import Path
from nmt_lstm.lab.leaderboard.record import Withdrawal
from nmt_lstm.lab.leaderboard.store import BoardFiles

files, name = BoardFiles(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(30):
    files.append(Withdrawal(system=name, test_set=str(number), added="x" * 5000), texts=[[name, str(number % 7)]])
"""


def withdrawal(name: str) -> Withdrawal:
    return Withdrawal(system=name, test_set="x", added="now")


@pytest.fixture
def files(tmp_path) -> BoardFiles:
    """The files of an empty board."""
    return BoardFiles(tmp_path)


def test_records_are_appended(files) -> None:
    assert files.records() == []
    assert files.append(withdrawal("a"))
    assert files.append(withdrawal("b"))
    assert [each.system for each in files.records()] == ["a", "b"]


def test_concurrent_writers_lose_no_row(files, tmp_path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in "abc"
    ]
    for each in writers:
        assert each.stdout.readline() == "ready\n"
    for each in writers:
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.wait(timeout=120) for each in writers] == [0, 0, 0]
    for each in writers:
        each.stdin.close()
        each.stdout.close()
    records = files.records()
    for name in "abc":
        assert [each.test_set for each in records if each.system == name] == [
            str(number) for number in range(30)
        ]
    assert len(files.texts()) == 21
    assert not list((tmp_path / "texts").glob(".writing*"))


def test_a_check_sees_the_current_rows_and_can_prevent_writing(files, board) -> None:
    systems = []

    def check(rows) -> bool:
        systems.append([row.system for row in rows])
        return False

    assert not board.files.append(withdrawal("bad"), texts=[["new"]], check=check)
    assert systems == [["good", "similar", "bad"]]
    assert digest_of(["new"]) not in board.files.texts()
    assert len(board.files.records()) == 3


def test_a_partial_row_is_ignored_and_then_removed(files, tmp_path, caplog) -> None:
    files.append(withdrawal("a"))
    whole = (tmp_path / "rows.jsonl").read_bytes()
    (tmp_path / "rows.jsonl").write_bytes(whole + to_line(withdrawal("b")).encode()[:40])
    assert [each.system for each in files.records()] == ["a"]
    assert "ends in a partial row" in caplog.text
    files.append(withdrawal("c"))
    assert "ended in a partial row" in caplog.text
    assert (tmp_path / "rows.jsonl").read_bytes() == whole + to_line(withdrawal("c")).encode() + b"\n"


def test_a_last_row_without_line_end_is_complete(files, tmp_path) -> None:
    files.append(withdrawal("a"))
    path = tmp_path / "rows.jsonl"
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    files.append(withdrawal("b"))
    assert [each.system for each in files.records()] == ["a", "b"]


def test_a_last_row_of_a_newer_version_is_not_partial(files, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(record, "FORMAT", 2)
    (tmp_path / "rows.jsonl").write_text(to_line(withdrawal("a")))
    monkeypatch.undo()
    for act in (files.records, lambda: files.append(withdrawal("b"))):
        with pytest.raises(DataError, match="rows.jsonl', line 1, has format version 2"):
            act()
    assert (tmp_path / "rows.jsonl").read_text().count("format") == 1


def test_a_full_disk_keeps_the_old_rows(files, tmp_path, monkeypatch) -> None:
    files.append(withdrawal("a"))
    before = (tmp_path / "rows.jsonl").read_bytes()
    write = os.write

    def half(file, data):
        if len(data) > 10:
            return write(file, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(ResourceError, match=r"board .*No space left on device"):
        files.append(withdrawal("b"))
    monkeypatch.undo()
    assert (tmp_path / "rows.jsonl").read_bytes() == before


def test_a_text_that_cannot_be_written_adds_no_row(files, tmp_path) -> None:
    (tmp_path / "texts").write_text("a file in the way")
    with pytest.raises(ResourceError, match="nothing was added"):
        files.append(withdrawal("a"), texts=[["x"]])
    assert files.records() == []


def test_a_missing_board_cannot_be_written(tmp_path) -> None:
    with pytest.raises(ResourceError, match="No such file or directory"):
        BoardFiles(tmp_path / "none").append(withdrawal("a"))


@pytest.mark.parametrize("lines", [["a", "", "ü"], [""], ["\ufeffx", "y\r", "u\u2028v", "\x00"]])
def test_texts_are_read_as_written(files, lines) -> None:
    files.append(withdrawal("a"), texts=[lines])
    assert files.text(digest_of(lines)) == lines


def test_changed_and_missing_texts_are_named(files, tmp_path) -> None:
    files.append(withdrawal("a"), texts=[["x"]])
    path = tmp_path / "texts" / f"{digest_of(['x'])}.txt"
    path.write_text("y\n")
    with pytest.raises(DataError, match=r"\.txt' was changed") as caught:
        files.text(digest_of(["x"]))
    assert caught.value.path == path
    files.append(withdrawal("b"), texts=[["x"]])  # adding the text again repairs it
    assert files.text(digest_of(["x"])) == ["x"]
    path.unlink()
    with pytest.raises(DataError, match=r"\.txt' is missing"):
        files.text(digest_of(["x"]))


def test_the_newest_row_is_current_unless_withdrawn(board) -> None:
    rows = board.files.records()
    again = rows[0].model_copy(update={"added": "later"})
    withdrawn = Withdrawal(system="bad", test_set="numbers", added="later")
    result = current_rows([*rows, again, withdrawn])
    assert [(row.system, row.added == "later") for row in result] == [("good", True), ("similar", False)]
    assert store.current_rows([*rows, withdrawn, rows[2]])[-1].system == "bad"


@pytest.mark.parametrize("remaining", [0, 1, 2])
def test_missing_rows_are_detected(files, tmp_path, remaining, caplog) -> None:
    for name in "abc":
        files.append(withdrawal(name))
    rows = tmp_path / "rows.jsonl"
    lines = rows.read_bytes().splitlines(keepends=True)
    assert files.missing_rows() == ""
    rows.write_bytes(b"".join(lines[:remaining]))
    assert "missing" in files.missing_rows()
    assert len(files.records()) == remaining
    assert "rows.head.json" in caplog.text
    with pytest.raises(DataError, match="missing"):
        files.append(withdrawal("d"))
    assert rows.read_bytes() == b"".join(lines[:remaining])
    (tmp_path / "rows.head.json").unlink()  # accepts the remaining rows
    files.append(withdrawal("d"))
    assert len(files.records()) == remaining + 1
    rows.unlink()
    assert "missing" in files.missing_rows()


def test_reordered_rows_are_detected(files, tmp_path) -> None:
    files.append(withdrawal("a"))
    files.append(withdrawal("b"))
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(reversed(rows.read_bytes().splitlines(keepends=True))))
    assert "changed" in files.missing_rows()


def test_an_outdated_head_still_matches(files, tmp_path) -> None:
    files.append(withdrawal("a"))
    head = (tmp_path / "rows.head.json").read_bytes()
    files.append(withdrawal("b"))
    (tmp_path / "rows.head.json").write_bytes(head)
    assert files.missing_rows() == ""
    (tmp_path / "rows.head.json").write_bytes(b"{")
    assert "cannot be used" in files.missing_rows()


def test_a_pipe_in_place_of_the_rows_is_rejected(files, tmp_path) -> None:
    os.mkfifo(tmp_path / "rows.jsonl")
    with pytest.raises(OSError, match="not a regular file"):
        files.lines()
    with pytest.raises(DataError, match="pipe"):
        files.append(withdrawal("a"))
