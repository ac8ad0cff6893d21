"""How often each client may ask: a bucket that fills with time, and from which each text takes."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Rates"]

MINUTE = 60.0
_FORGET_ABOVE = 10_000


class Rates:
    """Counts texts of clients.

    A client that has been silent for a minute may send a minute's number of texts at once. A longer list is admitted, too, but
    then the client has to wait until its average is that of its rate (the generic cell rate algorithm of ATM networks).

    Args:
        now: seconds of a clock that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._paid_until: dict[str, float] = {}
        """For each client the time at which its bucket is full again."""

    def wait(self, client: str, rate: int, texts: int) -> float:
        """Return 0 and count the texts, or the seconds after which the client may ask again.

        Args:
            client: its name.
            rate: texts in a minute.
            texts: of this request, at least 1.
        """
        now, interval = self._now(), MINUTE / rate
        paid_until = max(now, self._paid_until.get(client, now))
        # With the first text of a request, at most a minute's number may be outstanding.
        excess = paid_until + interval - (now + MINUTE)
        if excess > 1e-9:
            return excess
        if len(self._paid_until) > _FORGET_ABOVE:
            self._paid_until = {name: until for name, until in self._paid_until.items() if until > now}
        self._paid_until[client] = paid_until + interval * max(1, texts)
        return 0.0
