"""Why a request gets no translation: a status, and a text that clients of LibreTranslate know."""

from __future__ import annotations

import math

__all__ = [
    "RequestError",
    "client_gone",
    "missing_parameter",
    "not_supported",
    "overloaded",
    "too_fast",
    "too_large",
    "too_long",
]


CLIENT_GONE = 499
"""In logs and figures, as nginx has it: the client closed the connection before its reply."""
UNREAD = (408, 413)
"""Of requests that are not read to their end, so that no other can follow on the same connection."""


class RequestError(Exception):
    """A request that is not answered as asked.

    Args:
        status: of HTTP.
        text: for the client.
        retry_after: seconds after which the same request may succeed; None if it never will.
    """

    def __init__(self, status: int, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after = retry_after

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the status."""
        headers = {}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        if self.status in UNREAD:
            headers["connection"] = "close"
        return headers


def missing_parameter(name: str, hint: str = "") -> RequestError:
    """Return the problem of a request without a parameter; a hint says what may be the reason."""
    return RequestError(400, f"Invalid request: missing {name} parameter{hint}")


def not_supported(language: str) -> RequestError:
    """Return the problem of a language that no model has."""
    return RequestError(400, f"{language[:100]} is not supported")


def too_long(size: int, limit: int) -> RequestError:
    """Return the problem of a text with too many characters, or a list with too many texts."""
    return RequestError(400, f"Invalid request: request ({size}) exceeds text limit ({limit})")


def too_large(limit: int) -> RequestError:
    """Return the problem of a body with too many bytes."""
    return RequestError(413, f"Invalid request: the body has more than {limit} bytes")


def too_fast(rate: int, retry_after: float) -> RequestError:
    """Return the problem of a client that sends more requests a minute than it may."""
    return RequestError(429, f"Slowdown: {rate} per 1 minute", retry_after=retry_after)


def client_gone() -> RequestError:
    """Return the problem of a client that does not wait for its reply."""
    return RequestError(CLIENT_GONE, "the client closed the connection")


def overloaded(text: str, retry_after: float) -> RequestError:
    """Return the problem of a request that the server cannot work on now."""
    return RequestError(503, text, retry_after=retry_after)
