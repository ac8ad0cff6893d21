"""Streams that the caller has closed, or that cannot take what is written: one line and a status."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = shlex.join([sys.executable, "-m", "nmt_lstm"])


def shell(command: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["sh", "-c", f"exec {PROGRAM} {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("arguments", ["--version", "--help", "config", "models", "plugins"])
def test_a_closed_stdout_is_one_line(tmp_path, arguments) -> None:
    finished = shell(f"{arguments} >&-", tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("nmt-lstm: error: ")
    assert "stdout is closed" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has this device")
@pytest.mark.parametrize("arguments", ["--version", "config"])
def test_a_full_stdout_is_one_line_and_no_success(tmp_path, arguments) -> None:
    finished = shell(f"{arguments} >/dev/full", tmp_path)
    assert finished.returncode == 1
    assert "No space left" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_closed_stdin_is_told_before_the_model_is_loaded(tmp_path) -> None:
    finished = shell("translate -m builtin:en-ja <&-", tmp_path)
    assert finished.returncode == 1
    assert "stdin is closed" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_closed_stderr_changes_no_result_and_no_file(tmp_path) -> None:
    finished = shell("config 2>&-", tmp_path)
    assert finished.returncode == 0
    assert "[data]" in finished.stdout
    assert shell("config --set nothing=1 2>&-", tmp_path).returncode == 2


def test_commands_that_write_nothing_do_not_need_a_stdout(tmp_path) -> None:
    (tmp_path / "a").write_text("a\n")
    finished = shell("leaderboard init board -s a -r a >&-", tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "board" / "board.toml").is_file()
