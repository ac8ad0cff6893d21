"""The output folder: one run at a time, nothing overwritten, and the command that resumes."""

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

from nmt_lstm.errors import ConfigurationError, FolderInUseError, ResourceError
from nmt_lstm.training.fit import fit
from nmt_lstm.training.output_folder import check_task, held_by_this_run, resume_command

HOLD = """
import sys, time
from pathlib import Path
from nmt_lstm.training.output_folder import held_by_this_run
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


def test_a_second_run_fails_and_names_the_process_that_holds_the_folder(
    make_small_run: Any, output: Path, holder: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(FolderInUseError, match=str(holder.pid)) as caught:
        fit(make_small_run(), output, console=Console(quiet=True))
    assert (caught.value.folder, caught.value.process) == (output, holder.pid)
    assert [file.name for file in output.iterdir()] == [".lock"]


def test_a_killed_process_does_not_hold_the_folder(output: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (output / ".lock").exists()
    with held_by_this_run(output):
        assert (output / ".lock").read_text() == f"{os.getpid()}\n"
    assert not (output / ".lock").exists()


def test_an_error_releases_the_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyError), held_by_this_run(tmp_path):
        raise KeyError
    with held_by_this_run(tmp_path), pytest.raises(FolderInUseError), held_by_this_run(tmp_path):
        pass


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("content")
    (tmp_path / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(ResourceError, match="cannot write into"), held_by_this_run(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "content"


def test_a_run_removes_the_temporary_files_of_a_killed_one(
    make_small_run: Any, output: Path, holder: subprocess.Popen[bytes]
) -> None:
    holder.kill()
    holder.wait()
    (output / f".writing-{holder.pid}-abc").mkdir()
    (output / "checkpoints").mkdir()
    (output / "checkpoints" / f".last.ckpt.{holder.pid}").touch()
    fit(make_small_run("training.max_steps=1"), output, resume=True, console=Console(quiet=True))
    assert not [path.name for path in output.rglob(".*")]


@pytest.mark.parametrize(
    ("arguments", "time_limit", "expected"),
    [
        (["train", "a b", "-o", "c"], "", "nmt-lstm train 'a b' -o c --resume"),
        (["train", "--resume", "a"], "", "nmt-lstm train a --resume"),
        (
            ["quickstart", "--time-limit", "1m", "-o", "c"],
            "5m",
            "nmt-lstm quickstart -o c --resume --time-limit 5m",
        ),
        (["quickstart", "--time-limit=1m", "--resume"], "5m", "nmt-lstm quickstart --resume --time-limit 5m"),
        (["quickstart", "--time-limit=1m"], "", "nmt-lstm quickstart --time-limit=1m --resume"),
    ],
)
def test_the_command_to_resume_is_the_command_line_with_resume(
    arguments: list[str], time_limit: str, expected: str
) -> None:
    assert resume_command(["/usr/bin/nmt-lstm", *arguments], time_limit=time_limit) == expected


def test_a_run_is_resumed_for_its_own_task(random_model_folder) -> None:
    check_task(random_model_folder, "translation")
    with pytest.raises(ConfigurationError) as caught:
        check_task(random_model_folder, "language-model")
    assert (caught.value.key, caught.value.value) == ("task", "language-model")


def test_a_run_without_a_model_has_no_task_yet(tmp_path) -> None:
    check_task(tmp_path, "language-model")


LOWER = {"training.optimizer.learning_rate": "0.001", "training.clip_norm": "1"}
RESUMED = "--resume --set training.optimizer.learning_rate=0.001 --set training.clip_norm=1"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", RESUMED),
        ("--set training.optimizer.learning_rate=1000 --resume", RESUMED),
        ("--set=training.clip_norm=0 -o c --set seed=2", f"-o c --set seed=2 {RESUMED}"),
        (f"{RESUMED} --set training.clip_norm=5", RESUMED),
        ("--set training.optimizer.name=adam", f"--set training.optimizer.name=adam {RESUMED}"),
        ("-o c -- run.toml", f"-o c {RESUMED} -- run.toml"),
    ],
)
def test_settings_of_the_command_to_resume_replace_earlier_ones(arguments: str, expected: str) -> None:
    command = resume_command(["nmt-lstm", "train", *arguments.split()], settings=LOWER)
    assert command == f"nmt-lstm train {expected}"


def test_a_time_limit_replaces_that_of_set_which_would_have_precedence() -> None:
    arguments = ["nmt-lstm", "train", "--set", "training.time_limit=1m", "--set", "seed=3"]
    assert resume_command(arguments, time_limit="5m") == (
        "nmt-lstm train --set seed=3 --resume --time-limit 5m"
    )


def test_an_added_option_occurs_once() -> None:
    arguments = ["nmt-lstm", "train", "--accept-changed-plugins", "-o", "c"]
    assert resume_command(arguments, option="--accept-changed-plugins") == (
        "nmt-lstm train -o c --resume --accept-changed-plugins"
    )
