"""Locks are awaited or refused, are released with their process, and have no effect where they are not supported."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nmt_lstm.files.lock import HeldError, check_free, lock_file, locked


class GivenUpError(Exception):
    """The lock was not awaited."""


def give_up() -> None:
    raise GivenUpError


def test_a_second_holder_waits_until_the_folder_is_free(tmp_path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second_holder() -> None:
        with locked(tmp_path, waiting.set):
            order.append("second")

    thread = threading.Thread(target=second_holder)
    with locked(tmp_path):
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_a_free_folder_is_not_awaited(tmp_path) -> None:
    calls: list[str] = []
    for _ in range(2):
        with locked(tmp_path, lambda: calls.append("waiting")):
            pass
    assert calls == []
    assert list(tmp_path.iterdir()) == []


def test_an_exception_releases_the_folder(tmp_path) -> None:
    def fail() -> None:
        with locked(tmp_path):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with locked(tmp_path, lambda: pytest.fail("still held")):
        pass


def test_the_end_of_a_killed_holder_releases_the_folder(tmp_path) -> None:
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


def test_a_file_system_without_locks_stops_nobody(tmp_path, monkeypatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    entered = []
    with locked(tmp_path), locked(tmp_path):
        entered.append(True)
    assert entered == [True]


def test_a_missing_folder_raises_file_not_found(tmp_path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "none"):
        pytest.fail("entered")


@pytest.mark.parametrize(
    ("first", "second", "refused"), [(True, True, False), (True, False, True), (False, True, True)]
)
def test_readers_share_an_open_file_and_writers_do_not(
    tmp_path: Path, first: bool, second: bool, refused: bool
) -> None:
    (tmp_path / "rows").touch()
    with (tmp_path / "rows").open() as one, (tmp_path / "rows").open("r+") as other:
        with locked(one.fileno(), shared=first):
            if refused:
                with pytest.raises(GivenUpError), locked(other.fileno(), give_up, shared=second):
                    pytest.fail("entered")
            else:
                with locked(other.fileno(), give_up, shared=second):
                    pass
        # Free again, although the first file is still open.
        with locked(other.fileno(), give_up):
            pass


def test_a_lock_file_names_its_process_and_is_removed_afterwards(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    check_free(path)
    with lock_file(path):
        assert path.read_text() == f"{os.getpid()}\n"
        for attempt in (check_free, lambda path: lock_file(path).__enter__()):
            with pytest.raises(HeldError) as held:
                attempt(path)
            assert (held.value.path, held.value.process) == (path, os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_a_check_for_a_moment_does_not_prevent_locking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".lock"
    path.touch()
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(handle))
    with lock_file(path):
        assert path.read_text() == f"{os.getpid()}\n"
