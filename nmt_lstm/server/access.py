"""Who may send requests, and how many: clients with an API key at its rate, others by their address."""

from __future__ import annotations

import logging
import time
from typing import Any, NamedTuple

from starlette.requests import HTTPConnection

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.server.keys import ApiKey, KeyFile, digest
from nmt_lstm.server.problems import RequestError, too_fast
from nmt_lstm.server.rates import Rates
from nmt_lstm.server.settings import ServerSettings

__all__ = ["Access", "Caller", "address_of"]

_SECONDS_BETWEEN_LOOKS = 1.0

logger = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Who sent a request.

    Attributes:
        name: under which it is counted, and shares the workers with others.
        key: name of its API key; empty without one.
        characters: of one text, at most.
    """

    name: str
    key: str
    characters: int


class Access:
    """Decides about requests.

    Args:
        settings: of the server.

    Raises:
        ConfigurationError: the file of keys cannot be read.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._limits = settings.limits
        self._rates = Rates()
        self._file = KeyFile(settings.keys) if settings.keys is not None else None
        self._keys: dict[str, ApiKey] = {}
        self._seen: tuple[int, int] | None = None
        self._look_at = 0.0
        if self._file is not None:
            self._read(self._file)

    @property
    def has_keys(self) -> bool:
        """Whether there are API keys."""
        return self._file is not None

    @property
    def key_required(self) -> bool:
        """Whether a request without a key is refused: it is not if there is a rate for such requests."""
        return self.has_keys and not self._limits.rate

    def admitted(
        self, connection: HTTPConnection, api_key: str = "", *, log: dict[str, Any], texts: int = 1
    ) -> Caller:
        """Return who sent a request, and count its texts.

        Args:
            connection: of the request. Without `api_key`, its header ``Authorization: Bearer KEY`` counts.
            api_key: from the parameters.
            log: facts of the request, which get the name of its key, also if it comes too soon.
            texts: of the request.

        Raises:
            RequestError: it has no valid key, or comes too soon after others.
        """
        key = self._key(api_key or _bearer(connection))
        if key is None:
            caller = Caller(address_of(connection), "", self._limits.characters)
            rate = self._limits.rate
        else:
            caller = Caller(f"key {key.name}", key.name, key.characters or self._limits.characters)
            rate = key.rate
        log["key"] = caller.key
        if rate and (seconds := self._rates.wait(caller.name, rate, texts)):
            raise too_fast(rate, seconds)
        return caller

    def _key(self, text: str) -> ApiKey | None:
        """Return the key of a request; None if it needs none. Without a file of keys, any key will do."""
        if self._file is None:
            return None
        self._look(self._file)
        if text:
            key = self._keys.get(digest(text))
            if key is None:
                raise RequestError(403, "Invalid API key")
            return key
        if self.key_required:
            raise RequestError(400, "Please contact the server operator to get an API key")
        return None

    def _look(self, file: KeyFile) -> None:
        """Read the file again if it has changed; a file that cannot be read changes nothing."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _SECONDS_BETWEEN_LOOKS
        try:
            state = file.path.stat()
            if self._seen != (state.st_mtime_ns, state.st_ino):
                self._read(file)
        except (ConfigurationError, OSError) as problem:
            logger.warning("the API keys stay as they were: %s", problem)

    def _read(self, file: KeyFile) -> None:
        self._keys = {key.sha256: key for key in file.read()}
        state = file.path.stat()
        self._seen = state.st_mtime_ns, state.st_ino


def address_of(connection: HTTPConnection) -> str:
    """Return the address of the client."""
    return connection.client.host if connection.client is not None else "local"


def _bearer(connection: HTTPConnection) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
