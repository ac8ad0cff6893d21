"""Ctrl-C and SIGTERM: the first stops training after the current step, a second ctrl-C at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["SignalWatch", "TrainingInterrupted"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingInterrupted(SystemExit):
    """A signal stopped training after a checkpoint was saved.

    As a `SystemExit` it ends the program with the status that shells expect: 130 after ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(128 + signal_number)
        self.signal_number = signal_number


class SignalWatch:
    """Context manager that records SIGINT and SIGTERM instead of terminating.

    Python handles signals in the main thread only; in other threads nothing is recorded.
    """

    def __init__(self) -> None:
        self.received = 0
        """Number of the first signal received; 0 for none."""
        self._previous: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.getsignal(number) for number in _SIGNALS}
            self.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._previous = {}

    def install(self) -> None:
        """Install the handlers, again if need be: Lightning's Trainer installs its own when it starts."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, self._record)

    def _record(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.received == signal.SIGINT:
            # Without cleanup, which the user does not want to wait for; files on disk are complete at any time.
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")  # a live display has hidden the cursor
            os._exit(128 + number)
        self.received = self.received or number
