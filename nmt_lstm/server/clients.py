"""Who sends a request: the name under which it is counted, and whether it may ask for anything."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from nmt_lstm.server.request_values import Values

__all__ = ["address_of", "key_of"]


def address_of(connection: HTTPConnection) -> str:
    """Return the address of the client."""
    return connection.client.host if connection.client is not None else "local"


def key_of(connection: HTTPConnection, values: Values | None = None) -> str:
    """Return the API key of a request: its parameter `api_key`, or that of the header `Authorization`; empty without."""
    if values is not None and (key := values.text("api_key")):
        return key
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
