"""Model folders that are written again while a server runs: it loads them without losing a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
from nmt_lstm.errors import ModelFolderError, NmtLstmError
from nmt_lstm.server.crew import Crew

__all__ = ["ModelWatch"]

logger = logging.getLogger(__name__)

Facts = tuple[int, int, int] | None
State = dict[Path, tuple[Facts, ...]]
"""For each folder, facts of its manifest and of the files that the manifest lists."""


class ModelWatch:
    """Looks at the files of model folders, and has the workers renewed.

    Those are the files of the manifest: training also writes others, such as its log, which are not the model.

    Args:
        folders: of the models.
        crew: the workers.
        seconds: between two looks.
        check: called before the workers are renewed, in a thread; raises NmtLstmError if the models cannot be served.
        reloaded: called with "done" or "failed".
    """

    def __init__(
        self,
        folders: Iterable[Path],
        crew: Crew,
        *,
        seconds: float,
        check: Callable[[], None],
        reloaded: Callable[[str], None],
    ) -> None:
        self._folders = [_Folder(folder) for folder in folders]
        self._crew = crew
        self._seconds = seconds
        self._check = check
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
        changed = [folder for folder, facts in state.items() if facts != self._loaded[folder]]
        names = ", ".join(f"'{folder}'" for folder in changed)
        # A folder that cannot be loaded is tried again when it changes again.
        self._loaded = state
        try:
            await asyncio.to_thread(self._check)
            await self._crew.renew()
        except NmtLstmError as problem:
            logger.warning("%s changed, but the models stay as they were: %s", names, problem)
            self._reloaded("failed")
        else:
            logger.info("%s changed; the new model is used from now on.", names)
            self._reloaded("done")

    def _state(self) -> State:
        return {folder.path: folder.facts() for folder in self._folders}


class _Folder:
    """A model folder.

    Args:
        path: of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._manifest: Facts = None
        self._files: tuple[Path, ...] = ()

    def facts(self) -> tuple[Facts, ...]:
        """Return the facts of its files; while it has no valid manifest, of those that it had before."""
        manifest = _facts(self.path / MANIFEST)
        if manifest != self._manifest:
            self._manifest = manifest
            with contextlib.suppress(ModelFolderError):
                self._files = tuple(self.path / name for name in Manifest.read(self.path).files)
        return (manifest, *map(_facts, self._files))


def _facts(path: Path) -> Facts:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
