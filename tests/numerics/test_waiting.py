"""How waiting threads behave: set in time, and never against the user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nmt_lstm.numerics.waiting import TURNS_BEFORE_SLEEP, sleep_while_waiting

COMMAND = """\
import os, sys
from nmt_lstm.cli.app import main
status = main(["--version"])
print(status, "torch" in sys.modules, os.environ.get("GOMP_SPINCOUNT"))
"""


@pytest.mark.parametrize(
    ("given", "turns"),
    [
        ({}, str(TURNS_BEFORE_SLEEP)),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_threads_sleep_soon_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], turns: str | None
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    sleep_while_waiting()
    assert os.environ.get("GOMP_SPINCOUNT") == turns


def test_the_command_says_so_before_torch_is_there() -> None:
    chosen = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    environment = {name: value for name, value in os.environ.items() if name not in chosen}
    finished = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True, env=environment
    )
    assert finished.stdout.splitlines()[-1] == f"0 False {TURNS_BEFORE_SLEEP}"
