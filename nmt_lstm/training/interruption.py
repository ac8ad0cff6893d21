"""Ctrl-C and SIGTERM: the first asks for an orderly end after the current step, a second ctrl-C ends at once."""

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
    """The training was stopped by a signal after leaving a checkpoint.

    As a `SystemExit` it ends a program with the status that shells expect: 130 after ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(128 + signal_number)
        self.signal_number = signal_number


class SignalWatch:
    """Notes signals instead of dying of them, for the time of a with statement.

    Outside of the main thread Python cannot watch signals; then nothing is noted.
    """

    def __init__(self) -> None:
        self.received = 0
        """Number of the first signal that came; 0 is none."""
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
        """Watch (again): others, such as Lightning's Trainer, put their own handlers in place when they start."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.received == signal.SIGINT:
            # No cleaning up: whoever asks twice does not want to wait for it. Checkpoints are whole at any time.
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")  # a live display has hidden the cursor
            os._exit(128 + number)
        self.received = self.received or number
