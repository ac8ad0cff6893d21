"""Standard streams that are closed or full: one line and an exit status."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = shlex.join([sys.executable, "-m", "nmt_lstm"])


def run_in_shell(command: str, folder: Path) -> subprocess.CompletedProcess:
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
    finished = run_in_shell(f"{arguments} >&-", tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("nmt-lstm: error: ")
    assert "stdout is closed" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has this device")
@pytest.mark.parametrize("arguments", ["--version", "config"])
def test_a_full_stdout_is_one_line_and_status_1(tmp_path, arguments) -> None:
    finished = run_in_shell(f"{arguments} >/dev/full", tmp_path)
    assert finished.returncode == 1
    assert "No space left" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_closed_stdin_is_one_line(tmp_path) -> None:
    finished = run_in_shell("translate -m builtin:en-ja <&-", tmp_path)
    assert finished.returncode == 1
    assert "stdin is closed" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_closed_stderr_changes_neither_output_nor_status(tmp_path) -> None:
    finished = run_in_shell("config 2>&-", tmp_path)
    assert finished.returncode == 0
    assert "[data]" in finished.stdout
    assert run_in_shell("config --set nothing=1 2>&-", tmp_path).returncode == 2


def test_a_command_without_output_needs_no_stdout(tmp_path) -> None:
    (tmp_path / "a").write_text("a\n")
    finished = run_in_shell("leaderboard init board -s a -r a >&-", tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "board" / "board.toml").is_file()
