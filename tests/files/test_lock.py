"""A folder held by one is waited for by others, comes free with its holder, and costs nothing where locks are unknown."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading

import pytest

from nmt_lstm.files.lock import locked


def test_another_one_waits_until_the_folder_is_free(tmp_path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def other() -> None:
        with locked(tmp_path, waiting.set):
            order.append("second")

    thread = threading.Thread(target=other)
    with locked(tmp_path):
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_a_free_folder_is_not_waited_for(tmp_path) -> None:
    told: list[str] = []
    for _ in range(2):
        with locked(tmp_path, lambda: told.append("waiting")):
            pass
    assert told == []
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_frees_the_folder(tmp_path) -> None:
    def fail() -> None:
        with locked(tmp_path):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with locked(tmp_path, lambda: pytest.fail("still held")):
        pass


def test_a_killed_holder_frees_the_folder(tmp_path) -> None:
    script = (
        f"from pathlib import Path; from nmt_lstm.files.lock import locked\n"
        f"with locked(Path({str(tmp_path)!r})):\n    print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        handle = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        holder.kill()
        holder.wait(30)
        with locked(tmp_path, lambda: pytest.fail("still held")):
            pass


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    entered = []
    with locked(tmp_path), locked(tmp_path):
        entered.append(True)
    assert entered == [True]


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "none"):
        pytest.fail("entered")
