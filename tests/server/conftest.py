"""A real server in a process of its own, and requests to it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("starlette")

SECONDS = 120


class Reply(NamedTuple):
    """What came back."""

    status: int
    value: Any
    headers: dict[str, str]


class ServerProcess:
    """A server, on a free port.

    Args:
        arguments: of ``nmt-lstm serve``.
    """

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nmt_lstm", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )
        self.messages: list[str] = []
        self.logged: list[str] = []
        address: queue.Queue[str] = queue.Queue()

        def read_messages() -> None:
            for line in self.process.stderr:
                self.messages.append(line.rstrip("\n"))
                if line.startswith("Serving "):
                    address.put(next(word for word in line.split() if word.startswith("http")))
            address.put("")

        def read_log() -> None:
            self.logged.extend(line.rstrip("\n") for line in self.process.stdout)

        self._threads = [threading.Thread(target=target, daemon=True) for target in (read_messages, read_log)]
        for thread in self._threads:
            thread.start()
        self.url = address.get(timeout=SECONDS)
        assert self.url, "\n".join(self.messages)

    def get(self, path: str, **headers: str) -> Reply:
        """Send a GET request."""
        return send(Request(self.url + path, headers=headers))

    def post(self, path: str, body: bytes = b"", content_type: str = "", **headers: str) -> Reply:
        """Send a POST request."""
        head = {"Content-Type": content_type, **headers} if content_type else headers
        return send(Request(self.url + path, data=body, headers=head, method="POST"))

    def post_json(self, path: str, value: object, **headers: str) -> Reply:
        """Send JSON."""
        return self.post(path, json.dumps(value).encode(), "application/json", **headers)

    def post_form(self, path: str, **fields: str) -> Reply:
        """Send a form."""
        return self.post(path, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server, and return its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(SECONDS)
        for thread in self._threads:
            thread.join(SECONDS)
        return status


def send(request: Request) -> Reply:
    """Send a request, and return the reply whatever its status."""
    try:
        with urlopen(request, timeout=SECONDS) as response:
            status, content, headers = response.status, response.read(), response.headers
    except HTTPError as problem:
        status, content, headers = problem.code, problem.read(), problem.headers
    value = json.loads(content) if "json" in headers.get("content-type", "") else content.decode()
    return Reply(status, value, {name.lower(): text for name, text in headers.items()})


@pytest.fixture(scope="package")
def server() -> Iterator[ServerProcess]:
    """A server with the built-in model and one worker."""
    process = ServerProcess("-m", "builtin:en-ja", "--workers", "1")
    yield process
    assert process.stop() == 0
