"""What one holds is waited for or refused, comes free with its holder, and costs nothing where locks are unknown."""

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

from nmt_lstm.errors import ResourceError
from nmt_lstm.files.lock import HeldError, check_free, held_file, locked, only_one


class GivenUpError(Exception):
    """Somebody did not wait."""


def give_up() -> None:
    raise GivenUpError


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


def test_a_second_process_of_a_command_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with only_one("nmt-lstm probe", folder):
        with (
            pytest.raises(ResourceError, match=r"another nmt-lstm probe .*folder'"),
            only_one("nmt-lstm probe", folder),
        ):
            pytest.fail("entered")
        assert list(folder.iterdir()) == []
    with only_one("nmt-lstm probe", folder):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ResourceError, match=r"file/folder'.*Not a directory"),
        only_one("nmt-lstm probe", tmp_path / "file" / "folder"),
    ):
        pytest.fail("entered")


def test_an_error_of_the_work_in_a_folder_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), only_one("nmt-lstm probe", tmp_path):
        (tmp_path / "none").read_text()


def test_a_held_file_names_its_process_and_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    check_free(path)
    with held_file(path):
        assert path.read_text() == f"{os.getpid()}\n"
        for attempt in (check_free, lambda path: held_file(path).__enter__()):
            with pytest.raises(HeldError) as held:
                attempt(path)
            assert (held.value.path, held.value.process) == (path, os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_one_who_only_looks_does_not_keep_a_file_from_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".lock"
    path.touch()
    look = os.open(path, os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(look))
    with held_file(path):
        assert path.read_text() == f"{os.getpid()}\n"
