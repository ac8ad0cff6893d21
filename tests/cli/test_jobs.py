"""``translate --jobs``: the same lines as one process writes, in the same order, and errors that say what happened."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys

import pytest

LINES = [b"eins zwei .", b"", b"drei vier f\xc3\xbcnf .", b"a\x00b", b"null", b"sieben acht neun ."] * 6
TEXT = b"\n".join(LINES) + b"\n"


def run(folder, *arguments):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "nmt_lstm",
            "translate",
            "-m",
            folder,
            "--scores",
            "--device",
            "cpu",
            *arguments,
        ],
        input=TEXT,
        capture_output=True,
        check=True,
    )


def test_several_processes_write_what_one_writes(random_model_folder):
    alone = run(random_model_folder)
    together = run(random_model_folder, "--jobs", "2", "--batch-size", "1")
    assert together.stdout == alone.stdout
    assert together.stdout.count(b"\n") == len(LINES)
    # Each process warns of its own lines, by their numbers in the whole text.
    for number in range(6):
        assert f"line {4 + 6 * number}: control characters".encode() in together.stderr


@pytest.mark.parametrize("how", ["--interactive"])
def test_lines_answered_at_once_take_one_process(command, translator, how):
    finished = command("translate", "-m", "x", how, "--jobs", 2, stdin=b"ab\n")
    assert finished.status == 2
    assert "--jobs is for files and pipes; leave it out where each line is answered at once." in finished.err


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
    loading = jobs.Loading(["x"], "cpu", "auto", ())
    with pytest.raises(
        ResourceError, match="a process of --jobs 3 died, perhaps for lack of memory; use fewer"
    ):
        list(jobs.translate_in_jobs(["eins"], loading, 3, beam_size=None, n_best=1, batch_size=4))


def test_input_is_read_only_as_far_as_needed(monkeypatch):
    from concurrent.futures import Future

    from nmt_lstm.cli import jobs

    class Pool:
        def __init__(self, *arguments):
            pass

        def submit(self, work, first_line, lines, search):
            future = Future()
            future.set_result([(first_line + place, line) for place, line in enumerate(lines)])
            return future

        def shutdown(self, **arguments):
            pass

    taken = []

    def endless():
        number = 0
        while True:
            taken.append(number)
            yield str(number)
            number += 1

    monkeypatch.setattr(jobs, "ProcessPoolExecutor", Pool)
    loading = jobs.Loading(["x"], "cpu", "auto", ())
    found = jobs.translate_in_jobs(endless(), loading, 2, beam_size=None, n_best=1, batch_size=1)
    assert [next(found) for _ in range(40)] == [(number + 1, str(number)) for number in range(40)]
    assert len(taken) == (40 // jobs.PART_BATCHES + 2 * jobs.PARTS_AHEAD) * jobs.PART_BATCHES


def test_what_loading_warns_of_is_left_to_the_first_process(monkeypatch, translator, capsys):
    from nmt_lstm.cli import jobs

    log = logging.getLogger("nmt_lstm")
    for name, value in (("level", log.level), ("handlers", []), ("propagate", log.propagate)):
        monkeypatch.setattr(log, name, value)

    def load(folders, **arguments):
        log.warning("slow here")
        return translator()

    monkeypatch.setattr(translator, "load", load)
    monkeypatch.setattr(signal, "signal", lambda *arguments: None)
    monkeypatch.setattr(jobs, "_worker", [])
    jobs._start(jobs.Loading(["x"], "cpu", "auto", ()))
    log.warning("line 7 is long")
    assert capsys.readouterr().err == "nmt-lstm: warning: line 7 is long\n"
