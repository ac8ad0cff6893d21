"""Signals are recorded, and their handlers are restored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_recorded_and_the_handler_restored(number: int, status: int) -> None:
    handler = signal.getsignal(number)
    with SignalWatch() as watch:
        os.kill(os.getpid(), number)
        assert watch.received == number
    assert signal.getsignal(number) is handler
    assert TrainingInterrupted(watch.received).code == status


def test_handlers_that_others_replaced_can_be_installed_again() -> None:
    with SignalWatch() as watch:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        watch.install()
        os.kill(os.getpid(), signal.SIGTERM)
        assert watch.received == signal.SIGTERM


def test_a_second_ctrl_c_ends_at_once() -> None:
    script = (
        "import os, signal\n"
        "from nmt_lstm.training.interruption import SignalWatch\n"
        "with SignalWatch():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('still here')\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert finished.returncode == 130
    assert finished.stdout == ""
