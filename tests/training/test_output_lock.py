"""One training at a time in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.errors import FolderInUseError
from nmt_lstm.training.fit import fit
from nmt_lstm.training.output_lock import held_by_this_run

HOLD = """
import sys, time
from pathlib import Path
from nmt_lstm.training.output_lock import held_by_this_run
with held_by_this_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the folder."""
    output.mkdir()
    process = subprocess.Popen([sys.executable, "-c", HOLD, output], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_training_is_refused_by_the_process_that_holds_the_folder(
    make_small_run: Any, output: Path, holder: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(FolderInUseError, match=str(holder.pid)) as refused:
        fit(make_small_run(), output, console=Console(quiet=True))
    assert (refused.value.folder, refused.value.process) == (output, holder.pid)
    assert [file.name for file in output.iterdir()] == [".lock"]


def test_a_killed_process_holds_nothing(output: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (output / ".lock").exists()
    with held_by_this_run(output):
        assert (output / ".lock").read_text() == f"{os.getpid()}\n"
    assert not (output / ".lock").exists()


def test_a_folder_is_held_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), held_by_this_run(tmp_path):
        raise KeyError
    with held_by_this_run(tmp_path), pytest.raises(FolderInUseError), held_by_this_run(tmp_path):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(Exception, match=r"cannot write into"), held_by_this_run(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_run_removes_what_a_killed_one_left(
    make_small_run: Any, output: Path, holder: subprocess.Popen[bytes]
) -> None:
    holder.kill()
    holder.wait()
    (output / f".writing-{holder.pid}-abc").mkdir()
    (output / "checkpoints").mkdir()
    (output / "checkpoints" / f".last.ckpt.{holder.pid}").touch()
    fit(make_small_run("training.max_steps=1"), output, resume=True, console=Console(quiet=True))
    assert not [path.name for path in output.rglob(".*")]
