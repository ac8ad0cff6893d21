"""Model folders that are written again while a server runs: it loads them without losing a request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from nmt_lstm.checkpoint.manifest import MANIFEST
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.server.crew import Crew

__all__ = ["ModelWatch"]

logger = logging.getLogger(__name__)

State = dict[Path, tuple[int, int, int] | None]


class ModelWatch:
    """Looks at the manifests of model folders, which are written last, and has the workers renewed.

    Args:
        folders: of the models.
        crew: the workers.
        seconds: between two looks.
        reloaded: called with "done" or "failed".
    """

    def __init__(
        self, folders: Iterable[Path], crew: Crew, seconds: float, reloaded: Callable[[str], None]
    ) -> None:
        self._manifests = [folder / MANIFEST for folder in folders]
        self._crew = crew
        self._seconds = seconds
        self._reloaded = reloaded
        self._loaded = self._state()

    async def run(self) -> None:
        """Look, until the task is cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            state = self._state()
            if state == self._loaded:
                continue
            # Of a folder that is being written, the next look shows the end.
            await asyncio.sleep(self._seconds)
            if state != self._state():
                continue
            await self._reload(state)

    async def _reload(self, state: State) -> None:
        changed = [path.parent for path, facts in state.items() if facts != self._loaded[path]]
        names = ", ".join(f"'{folder}'" for folder in changed)
        # A folder that cannot be loaded is tried again when it changes again.
        self._loaded = state
        try:
            await self._crew.renew()
        except NmtLstmError as problem:
            logger.warning("%s changed, but the models stay as they were: %s", names, problem)
            self._reloaded("failed")
        else:
            logger.info("%s changed; the new model is used from now on.", names)
            self._reloaded("done")

    def _state(self) -> State:
        return {path: _facts(path) for path in self._manifests}


def _facts(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
