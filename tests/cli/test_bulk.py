"""``translate --resume``, ``--shard`` and ``--merge``: the output of an undisturbed run, whatever happened in between."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.lock import lock_file
from nmt_lstm.text.zstandard_file import LIBRARY

LINES = [f"line {number}" for number in range(25)]
EXPECTED = "".join(f"{line[::-1]}\n" for line in LINES)


@pytest.fixture
def run(command, translator, tmp_path, monkeypatch):
    """Run ``translate`` on 25 lines in parts of 4; digests of models that do not exist are their names."""
    (tmp_path / "in").write_text("".join(f"{line}\n" for line in LINES))
    monkeypatch.setattr("nmt_lstm.cli.bulk._digest", str)
    return lambda *options: command("translate", "-m", "x", "-i", "in", "--part-lines", 4, *options)


def test_parts_become_the_same_output_as_without_them(run, command, tmp_path):
    assert command("translate", "-m", "x", "-i", "in", "-o", "plain").status == 0
    finished = run("-o", "out", "--resume")
    assert finished.status == 0
    assert (tmp_path / "out").read_text() == (tmp_path / "plain").read_text() == EXPECTED


def test_an_interrupted_run_continues_after_the_last_complete_part(run, translator, tmp_path):
    translator.interrupt_after = 10
    finished = run("-o", "out", "--resume")
    assert finished.status == 130
    assert "2 of 7 parts are complete" in finished.err
    assert not (tmp_path / "out").exists()
    translator.interrupt_after = None
    translator.calls.clear()
    assert "2 of 7 parts are complete" in run("-o", "out", "--resume").err
    assert translator.calls[0]["first_line"] == 9
    assert (tmp_path / "out").read_text() == EXPECTED


@pytest.mark.parametrize(
    "name",
    [
        "out.gz",
        "out.xz",
        pytest.param("out.zst", marks=pytest.mark.skipif(LIBRARY is None, reason="no library for .zst")),
    ],
)
def test_compressed_input_and_output(run, command, tmp_path, name):
    (tmp_path / "in.gz").write_bytes(gzip.compress((tmp_path / "in").read_bytes()))
    arguments = ("translate", "-m", "x", "-i", "in.gz", "--part-lines", 4, "-o", name, "--resume")
    assert command(*arguments).status == 0
    from nmt_lstm.text.text_file import read_lines

    assert [*read_lines(tmp_path / name)] == EXPECTED.splitlines()


def test_shards_share_the_work_and_merge_joins_it(run, translator, tmp_path):
    for shard in ("2/3", "1/3"):
        assert "for other shards" in run("-o", "out", "--shard", shard).err
    finished = run("-o", "out", "--merge")
    assert finished.status == 1
    assert "lines 9 to 12" in finished.err
    assert "--merge" in run("-o", "out", "--shard", "3/3").err
    calls = len(translator.calls)
    assert "3 of 3 parts are complete" in run("-o", "out", "--shard", "1/3").err
    assert run("-o", "out", "--merge").status == 0
    assert len(translator.calls) == calls
    assert (tmp_path / "out").read_text() == EXPECTED


def test_a_finished_output_is_not_translated_again(run, translator, tmp_path):
    run("-o", "out", "--resume")
    translator.calls.clear()
    for option in ("--resume", "--merge"):
        finished = run("-o", "out", option)
        assert (finished.status, "already finished" in finished.err) == (0, True)
    assert translator.calls == []
    (tmp_path / "out").write_text("changed")
    finished = run("-o", "out", "--resume")
    assert finished.status == 1
    assert "out.parts" in finished.error


def test_different_options_or_input_are_refused_by_name(run, tmp_path):
    run("-o", "out", "--shard", "1/2")
    finished = run("-o", "out", "--resume", "--scores")
    assert finished.status == 2
    assert "--scores was not given, is True" in finished.error
    (tmp_path / "in").write_text("one\n")
    finished = run("-o", "out", "--resume")
    assert "SHA-256 of the input was" in finished.error
    assert run("-o", "out", "--resume", "--batch-size", 3).status == 2  # still because of the input


def test_speed_options_may_change(run, tmp_path):
    run("-o", "out", "--shard", "1/2", "--batch-size", 2)
    assert run("-o", "out", "--resume", "--batch-size", 3).status == 0
    assert (tmp_path / "out").read_text() == EXPECTED


def test_a_part_is_written_before_the_next_one_is_begun(run, translator, tmp_path):
    translator.interrupt_after = 9
    run("-o", "out", "--resume")
    assert [call["first_line"] for call in translator.calls] == [1, 5, 9]
    assert len(list((tmp_path / "out.parts").glob("*.part"))) == 2


def test_n_best_and_numbers_of_lines_in_warnings(run, translator, tmp_path):
    assert run("-o", "out", "--resume", "--n-best", 2).status == 0
    assert len((tmp_path / "out").read_text().splitlines()) == 50
    assert [call["first_line"] for call in translator.calls] == [1, 5, 9, 13, 17, 21, 25]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("-o", "out", "--shard", "0/3"), "--shard '0/3'"),
        (("-o", "out", "--shard", "4/3"), "--shard '4/3'"),
        (("-o", "out", "--shard", "half"), "--shard 'half'"),
        (("-o", "out", "--shard", "1/3", "--merge"), "--merge"),
        (("-o", "out", "--resume", "--interactive"), "--interactive"),
        (("--resume",), "-o"),
        (("-o", "-", "--resume"), "-o"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_loaded(run, translator, options, word):
    finished = run(*options)
    assert finished.status == 2
    assert word in finished.error
    assert translator.loaded == []


def test_nothing_is_left_behind_by_a_command_that_translates_nothing(run, translator, tmp_path, monkeypatch):
    merged = run("-o", "out", "--merge")
    assert (merged.status, "lines 1 to 4" in merged.error) == (1, True)
    monkeypatch.setattr(
        translator, "load", lambda *_, **__: (_ for _ in ()).throw(ModelFolderError("no model"))
    )
    assert run("-o", "out", "--resume").status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_parts_that_would_not_be_used_are_pointed_out(run, command, translator, tmp_path):
    run("-o", "out", "--shard", "1/3")
    plain = command("translate", "-m", "x", "-i", "in", "-o", "out")
    assert plain.status == 0
    assert "warning: 'out.parts' has 3 parts of an unfinished translation" in plain.err
    assert "--resume" in plain.err
    assert "warning" not in command("translate", "-m", "x", "-i", "in", "-o", "other").err


def test_the_size_of_parts_needs_parts(command, translator):
    finished = command("translate", "-m", "x", "--part-lines", 8, stdin=b"a\n")
    assert finished.status == 2
    assert "--part-lines" in finished.error


def test_resume_needs_a_file_to_read(command, translator):
    finished = command("translate", "-m", "x", "-o", "out", "--resume", stdin=b"a\n")
    assert finished.status == 2
    assert "-i" in finished.error


def test_two_processes_do_not_translate_the_same_shard(run, tmp_path):
    run("-o", "out", "--shard", "1/2")
    with lock_file(tmp_path / "out.parts" / ".shard-2-of-2.lock"):
        finished = run("-o", "out", "--shard", "2/2")
    assert finished.status == 1
    assert str(os.getpid()) in finished.error


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.long)])
def test_killed_again_and_again_no_line_is_lost_doubled_or_wrong(tmp_path, jobs):
    lines = [f"The young nurse bought {word} books." for word in ("two", "three", "four")] * 800
    (tmp_path / "in").write_text("".join(f"{line}\n" for line in lines))
    translate = [
        *(sys.executable, "-m", "nmt_lstm", "translate", "-m", "builtin:en-ja", "-i", "in", "--batch-size", "8", "-b", "1"),
        *("--jobs", str(jobs)),
    ]  # fmt: skip
    subprocess.run([*translate, "-o", "undisturbed"], cwd=tmp_path, check=True)
    resumable = [*translate, "-o", "out", "--resume", "--part-lines", "16"]
    parts = tmp_path / "out.parts"
    kills = 0
    while kills < 4:
        known = len(list(parts.glob("*.part")))
        process = subprocess.Popen(resumable, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and len(list(parts.glob("*.part"))) < known + 1 + kills:
            time.sleep(0.01)
        if process.poll() is not None:  # it was faster
            break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    assert kills
    finished = subprocess.run(resumable, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert re.search(r"\d+ of 150 parts (is|are) complete already|already finished", finished.stderr)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "undisturbed").read_bytes()
