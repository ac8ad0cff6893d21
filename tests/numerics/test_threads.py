"""Cores are counted as the scheduler assigns them; threads sleep soon, one computes where time is measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from nmt_lstm.numerics.threads import TURNS_BEFORE_SLEEP, one_thread, sleep_while_waiting, usable_cores

COMMAND = """\
import os, sys
from nmt_lstm.cli.app import main
status = main(["--version"])
print(status, "torch" in sys.modules, os.environ.get("GOMP_SPINCOUNT"))
"""


@pytest.mark.parametrize(
    ("environment", "turns"),
    [
        ({}, str(TURNS_BEFORE_SLEEP)),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_threads_sleep_soon_unless_the_user_configured_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], turns: str | None
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sleep_while_waiting()
    assert os.environ.get("GOMP_SPINCOUNT") == turns


def test_the_command_configures_threads_before_it_imports_torch() -> None:
    variables = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    environment = {name: value for name, value in os.environ.items() if name not in variables}
    finished = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True, env=environment
    )
    assert finished.stdout.splitlines()[-1] == f"0 False {TURNS_BEFORE_SLEEP}"


def test_only_cores_assigned_to_this_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {2, 7, 11}, raising=False)
    assert usable_cores() == 3


@pytest.mark.parametrize(("machine", "usable"), [(8, 8), (None, 1)])
def test_all_cores_count_where_the_system_assigns_none(
    monkeypatch: pytest.MonkeyPatch, machine: int | None, usable: int
) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: machine)
    assert usable_cores() == usable


def test_the_number_of_threads_is_restored_after_an_error() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        with pytest.raises(KeyError), one_thread():
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
