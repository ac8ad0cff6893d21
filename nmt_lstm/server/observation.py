"""Around all routes: headers for browsers of other sites, the access log, figures, and the end of a connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nmt_lstm.server.access_log import AccessLog
from nmt_lstm.server.metrics import Metrics
from nmt_lstm.server.problems import client_gone

__all__ = ["CORS_HEADERS", "Observed", "all_by_name", "unless_disconnected"]

CORS_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Authorization, Content-Type",
    "access-control-expose-headers": "Authorization",
    "access-control-allow-methods": "GET, POST",
    "access-control-max-age": str(60 * 60 * 24 * 20),
}
LONGEST_PATH = 200

Result = TypeVar("Result")


class Observed:
    """An application that is observed.

    Args:
        application: the routes.
        paths: that are known; figures have one entry for all others.
        metrics: the figures.
        log: the access log.
        is_ending: tells whether the server is about to end; connections are not kept then.
    """

    def __init__(
        self,
        application: ASGIApp,
        *,
        paths: Collection[str],
        metrics: Metrics,
        log: AccessLog,
        is_ending: Callable[[], bool],
    ) -> None:
        self._application = application
        self._paths = frozenset(paths)
        self._metrics = metrics
        self._log = log
        self._is_ending = is_ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        facts: dict[str, Any] = {}
        scope.setdefault("state", {})["log"] = facts
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(CORS_HEADERS)
                if self._is_ending():
                    headers["connection"] = "close"
            await send(message)

        try:
            if scope["method"] == "OPTIONS":
                await send_with_headers({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._application(scope, receive, send_with_headers)
        finally:
            self._record(scope, status, time.perf_counter() - start, facts)

    def _record(self, scope: Scope, status: int, seconds: float, facts: dict[str, Any]) -> None:
        path = scope["path"] if scope["path"] in self._paths else "other"
        self._metrics.requests.add(1, path, str(status))
        self._metrics.request_seconds.observe(seconds, path)
        self._log.add(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": scope["client"][0] if scope.get("client") else "",
                "method": scope["method"],
                "path": scope["path"][:LONGEST_PATH],
                "status": status,
                "seconds": round(seconds, 4),
                **facts,
            }
        )


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of work for a client, or give it up when the client closes its connection.

    Raises:
        RequestError: the client is gone; nobody reads the reply.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnection(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise client_gone()
    finally:
        task.cancel()
        gone.cancel()


async def all_by_name(work: Mapping[str, Coroutine[Any, Any, Result]]) -> dict[str, Result]:
    """Return the results of work that is done at the same time; if one part fails, the others are given up."""
    tasks = {name: asyncio.ensure_future(part) for name, part in work.items()}
    try:
        return dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))
    finally:
        for task in tasks.values():
            task.cancel()


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
