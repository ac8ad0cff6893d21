"""The access log: one JSON object per request, written by a thread, so that a slow reader stops nobody."""

from __future__ import annotations

import queue
import sys
import threading
from pathlib import Path
from typing import IO, Any

from nmt_lstm.plain_text import json_text

__all__ = ["AccessLog"]

MOST_WAITING = 10_000


class AccessLog:
    """A log.

    Args:
        path: of the file, to which lines are added; "-" is stdout, and None is no log.
        with_texts: whether it has the texts that were translated.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str | None, *, with_texts: bool = False) -> None:
        self._with_texts = with_texts
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._lost = 0
        self._stream: IO[str] | None = None
        if path is not None:
            # It stays open as long as the server runs.
            self._stream = sys.stdout if path == "-" else Path(path).open("a", encoding="utf-8")  # noqa: SIM115
            self._thread = threading.Thread(target=self._write, args=(self._stream,), daemon=True)
            self._thread.start()

    def add(self, entry: dict[str, Any]) -> None:
        """Add an entry; its texts, "q", only if the log has texts.

        If the reader of the log is so slow that too many entries wait, this one is lost, and the next that is not says how
        many were.
        """
        if self._stream is None:
            return
        shown = entry if self._with_texts else {name: value for name, value in entry.items() if name != "q"}
        if self._lost:
            shown = {**shown, "lost_entries": self._lost}
        try:
            self._lines.put_nowait(json_text(shown))
        except queue.Full:
            self._lost += 1
        else:
            self._lost = 0

    def close(self) -> None:
        """Write what waits, for a second at most, and close the file."""
        if self._stream is None:
            return
        try:
            self._lines.put(None, timeout=1.0)
        except queue.Full:
            return
        self._thread.join(1.0)
        if self._stream is not sys.stdout and not self._thread.is_alive():
            self._stream.close()

    def _write(self, stream: IO[str]) -> None:
        while (line := self._lines.get()) is not None:
            try:
                stream.write(f"{line}\n")
                if self._lines.empty():
                    stream.flush()
            except (OSError, ValueError):
                # Its reader is gone, or the disk is full: translating is more important.
                continue
