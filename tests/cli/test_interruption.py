"""Ctrl-C during the imports of a command ends it with one line."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# Presses ctrl-C during the import of a module.
SLOW_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            print("importing", flush=True)
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(100_000):
                pass
sys.meta_path.insert(0, Finder())
sys.argv = ["nmt-lstm", "config"]
from nmt_lstm.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "module", ["nmt_lstm.cli.app", "typer", "nmt_lstm.cli.train", "nmt_lstm.config.schema"]
)
def test_an_interruption_of_an_import_is_one_line(module: str) -> None:
    script = SLOW_IMPORT.format(module=module)
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert finished.stdout.splitlines()[0] == "importing"
    assert finished.returncode == 130
    assert finished.stderr == "\nnmt-lstm: interrupted.\n"


def test_a_background_process_ignores_ctrl_c() -> None:
    """Shells start it with SIGINT ignored."""
    finished = subprocess.run(
        [sys.executable, "-c", SLOW_IMPORT.format(module="typer")],
        capture_output=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert finished.returncode == 0


def test_an_import_error_caused_by_ctrl_c_is_an_interruption(command, monkeypatch) -> None:
    def fail(*_: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interruption:
            raise ImportError("numpy failed to import") from interruption

    monkeypatch.setattr("nmt_lstm.config.explain.template", fail)
    finished = command("config")
    assert (finished.status, finished.err) == (130, "\nnmt-lstm: interrupted.\n")
