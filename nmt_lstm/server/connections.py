"""Connections: not too many at once, and none that a slow or silent client holds open.

uvicorn limits the time between two requests, but not that of the head of a request, and it keeps any number of connections.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from nmt_lstm.server.settings import Limits

__all__ = ["limited_protocol"]

_LINGER = 1.0
"""Seconds in which a refused client may read why."""


def limited_protocol(limits: Limits, refused: Callable[[], None]) -> type[H11Protocol]:
    """Return the protocol that uvicorn makes for each connection.

    Args:
        limits: of connections.
        refused: is called for each connection above the limit.
    """
    body = json.dumps({"error": "The server has too many connections, try again later"}).encode()
    reply = (
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
        b"connection: close\r\naccess-control-allow-origin: *\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )

    class LimitedProtocol(H11Protocol):
        """A connection."""

        _is_refused = False
        _head: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            if len(self.connections) >= limits.connections:
                # The client has not asked yet: a socket that is closed with unread bytes would lose the reply.
                self._is_refused = True
                self.transport = transport
                refused()
                transport.write(reply)
                transport.write_eof()
                self._head = self.loop.call_later(_LINGER, transport.close)
                return
            super().connection_made(transport)
            self._expect_head()

        def data_received(self, data: bytes) -> None:
            if self._is_refused:
                return
            super().data_received(data)
            if self._is_idle():
                if self._head is None:
                    self._expect_head()
            else:
                self._forget_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget_head()
            if not self._is_refused:
                super().connection_lost(exc)

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._forget_head()
            super().handle_websocket_upgrade(event)

        def _is_idle(self) -> bool:
            cycle: RequestResponseCycle | None = self.cycle  # none before the first request
            return cycle is None or cycle.response_complete

        def _expect_head(self) -> None:
            self._head = self.loop.call_later(limits.reading_seconds, self._head_is_late)

        def _forget_head(self) -> None:
            if self._head is not None:
                self._head.cancel()
                self._head = None

        def _head_is_late(self) -> None:
            self._head = None
            if not self.transport.is_closing() and self._is_idle():
                self.transport.close()

    return LimitedProtocol
