"""Around all routes: headers for browsers of other sites, the access log, and problems as JSON."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CORS_HEADERS", "Observed"]

CORS_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Authorization, Content-Type",
    "access-control-expose-headers": "Authorization",
    "access-control-allow-methods": "GET, POST",
    "access-control-max-age": str(60 * 60 * 24 * 20),
}


class Observed:
    """An application whose replies have the headers, and whose requests have a place for what is logged of them.

    Args:
        application: the routes.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        log: dict[str, Any] = {}
        scope.setdefault("state", {})["log"] = log
        if scope["method"] == "OPTIONS":
            headers = [(name.encode(), value.encode()) for name, value in CORS_HEADERS.items()]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(CORS_HEADERS)
            await send(message)

        await self._application(scope, receive, send_with_headers)
