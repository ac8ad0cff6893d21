"""``translate --jobs``: the same output as one process, and no process that outlives the first."""

from __future__ import annotations

import logging
import shlex
import signal
import subprocess
import sys
import time

import pytest

LINES = [b"eins zwei .", b"", b"drei vier f\xc3\xbcnf .", b"a\x00b", b"null", b"sieben acht neun ."] * 6
TEXT = b"\n".join(LINES) + b"\n"


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, *shlex.split("-m nmt_lstm translate --scores --device cpu -m"), folder, *arguments],
        input=TEXT,
        capture_output=True,
        check=True,
    )


def test_several_processes_write_the_output_of_one(random_model_folder):
    alone = run(random_model_folder)
    together = run(random_model_folder, "--jobs", "2", "--batch-size", "1")
    assert together.stdout == alone.stdout
    assert together.stdout.count(b"\n") == len(LINES)
    # Each process warns of its own lines, by their numbers in the whole text.
    for number in range(6):
        assert f"line {4 + 6 * number}: control characters".encode() in together.stderr


def test_jobs_and_interactive_exclude_each_other(command, translator):
    finished = command("translate", "-m", "x", "--interactive", "--jobs", 2, stdin=b"ab\n")
    assert finished.status == 2
    assert "--jobs is for files and pipes" in finished.error


def test_a_process_that_dies_is_an_error_with_advice(monkeypatch):
    from concurrent.futures.process import BrokenProcessPool

    from nmt_lstm.cli import jobs
    from nmt_lstm.errors import ResourceError

    class Dead:
        def __init__(self, *arguments):
            pass

        def submit(self, *arguments):
            raise BrokenProcessPool

        def shutdown(self, **arguments):
            pass

    monkeypatch.setattr(jobs, "ProcessPoolExecutor", Dead)
    options = jobs.LoadOptions(["x"], "cpu", "auto", ())
    with pytest.raises(ResourceError, match="process of --jobs 3 died"):
        list(jobs.translate_in_jobs([(1, "eins")], options, 3, beam_size=None, n_best=1, batch_size=4))


def test_input_is_read_only_as_far_ahead_as_needed(monkeypatch):
    from concurrent.futures import Future

    from nmt_lstm.cli import jobs

    class Pool:
        def __init__(self, *arguments):
            pass

        def submit(self, work, first_line, lines, search):
            future = Future()
            future.set_result(list(enumerate(lines, start=first_line)))
            return future

        def shutdown(self, **arguments):
            pass

    read = []

    def endless():
        number = 0
        while True:
            read.append(number)
            yield str(number)
            number += 1

    monkeypatch.setattr(jobs, "ProcessPoolExecutor", Pool)
    options = jobs.LoadOptions(["x"], "cpu", "auto", ())
    translations = jobs.translate_in_jobs(
        enumerate(endless(), 1), options, 2, beam_size=None, n_best=1, batch_size=1
    )
    assert [next(translations) for _ in range(40)] == [(number + 1, str(number)) for number in range(40)]
    assert len(read) == (40 // jobs.BATCHES_PER_CHUNK + 2 * jobs.CHUNKS_PER_WORKER) * jobs.BATCHES_PER_CHUNK


def test_only_the_first_process_shows_the_warnings_of_loading(monkeypatch, translator, capsys):
    from nmt_lstm.cli import jobs

    log = logging.getLogger("nmt_lstm")

    def load(folders, **arguments):
        log.warning("slow here")
        return translator()

    monkeypatch.setattr(translator, "load", load)
    monkeypatch.setattr(signal, "signal", lambda *arguments: None)
    monkeypatch.setattr(jobs, "_worker", [])
    monkeypatch.setattr(jobs, "_end_with_first", lambda pipe: None)
    jobs._start(jobs.LoadOptions(["x"], "cpu", "auto", ()), None)
    log.warning("line 7 is long")
    assert capsys.readouterr().err == "nmt-lstm: warning: line 7 is long\n"


def workers_of(process):
    """The ids of the worker processes of a process."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=3) for line in listing.stdout.splitlines()]
    return [int(pid) for pid, parent, _, name in rows if parent == str(process) and "spawn_main" in name]


def is_running(process):
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize(
    "end", ["killed", pytest.param("terminated", marks=pytest.mark.long), "nobody reads"]
)
def test_no_process_outlives_the_first(random_model_folder, tmp_path, end):
    (tmp_path / "many").write_text("eins zwei .\n" * 20_000)
    command = [
        sys.executable,
        "-m",
        "nmt_lstm",
        "translate",
        "-m",
        random_model_folder,
        "-i",
        tmp_path / "many",
    ]
    first = subprocess.Popen(
        [*command, *shlex.split("--device cpu --jobs 2 --batch-size 1 --n-best 5 --format jsonl")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert first.stdout.readline()
    workers = workers_of(first.pid)
    assert len(workers) == 2
    if end == "nobody reads":
        first.stdout.close()
    else:
        first.send_signal(signal.SIGKILL if end == "killed" else signal.SIGTERM)
    first.wait(timeout=30)
    deadline = time.monotonic() + 30
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, workers))
    if end == "nobody reads":
        # The network was not trained, repeats itself, and finds the same text several times.
        expected = (b"the translation", b"the search found only", b"of this kind")
        messages = first.stderr.read().splitlines()
        assert [line for line in messages if not any(words in line for words in expected)] == []
