"""Who may send requests, and how many: clients with an API key at its rate, others by their address."""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import HTTPConnection

from nmt_lstm.server.clients import address_of
from nmt_lstm.server.request_values import Values
from nmt_lstm.server.settings import ServerSettings

__all__ = ["Access", "Caller"]


class Caller(NamedTuple):
    """Who sent a request.

    Attributes:
        name: under which it is counted, and shares the workers with others.
        characters: of one text, if they are limited for this caller; otherwise 0.
    """

    name: str
    characters: int = 0


class Access:
    """Decides about requests.

    Args:
        settings: of the server.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    @property
    def has_keys(self) -> bool:
        """Whether there are API keys."""
        return self._settings.keys is not None

    @property
    def key_required(self) -> bool:
        """Whether a request without a key is refused."""
        return self.has_keys and not self._settings.limits.rate

    def admitted(self, connection: HTTPConnection, values: Values | None = None) -> Caller:
        """Return who sent a request.

        Raises:
            RequestError: it has no valid key, or comes too soon after others.
        """
        return Caller(address_of(connection))
