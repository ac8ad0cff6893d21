"""Trained models, prepared once in files that all workers map into memory: so they share one copy of the tables.

A worker that loaded a trained model itself would compute the tables again and have them for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import shutil
import signal
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast, get_args

from nmt_lstm.errors import NmtLstmError
from nmt_lstm.files.lock import HeldError, locked
from nmt_lstm.server.settings import LoadOptions, ModelFiles

__all__ = ["SharedFiles"]

PREFIX = "nmt-lstm-serve-"

logger = logging.getLogger(__name__)


class SharedFiles:
    """A temporary folder with prepared models; a lock on it tells other servers that it is in use.

    Args:
        models: as they are.
        options: how they are loaded.
    """

    def __init__(self, models: Sequence[ModelFiles], options: LoadOptions) -> None:
        self._models = models
        self._options = options
        self._held = contextlib.ExitStack()

    async def prepare(self) -> list[ModelFiles]:
        """Return what workers load: prepared models, or the folders themselves where there is nothing to share.

        Raises:
            NmtLstmError: a model cannot be loaded.
        """
        as_they_are = list(self._models)
        options = self._options
        # A plugin that is only a file is not part of what is exported.
        if options.device not in ("auto", "cpu") or options.plugins or options.trust_plugins:
            return as_they_are
        try:
            folder = self._folder()
            return await asyncio.to_thread(_in_a_process, as_they_are, options, folder)
        except OSError as problem:
            logger.warning("workers cannot share the models in files: %s", problem)
            self.remove()
            return as_they_are

    def remove(self) -> None:
        """Remove the files; workers that have mapped them keep them."""
        self._held.close()

    def _folder(self) -> Path:
        parent = Path(tempfile.gettempdir())
        for left in parent.glob(f"{PREFIX}*"):
            _remove_unless_held(left)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._held.callback(shutil.rmtree, folder, ignore_errors=True)
        self._held.enter_context(locked(folder))
        return folder


def _remove_unless_held(folder: Path) -> None:
    """Remove what a server left that was killed."""

    def refuse() -> None:
        raise HeldError(folder, None)

    with contextlib.suppress(OSError, HeldError), locked(folder, refuse):
        shutil.rmtree(folder)


def _in_a_process(models: list[ModelFiles], options: LoadOptions, folder: Path) -> list[ModelFiles]:
    """Prepare models in a process, whose memory is free again afterwards."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_prepare, args=(theirs, models, options, folder), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError:
        raise OSError("the process that prepared them died, perhaps for lack of memory") from None
    finally:
        ours.close()
        process.join()
    if isinstance(found, BaseException):
        raise found
    prepared: list[ModelFiles] = found
    return prepared


def _prepare(pipe: Connection, models: list[ModelFiles], options: LoadOptions, folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.getLogger("nmt_lstm").setLevel(logging.ERROR)
    try:
        prepared: dict[Path, Path] = {}
        for model in models:
            if model.source not in prepared:
                prepared[model.source] = _prepared(model.source, options, folder / str(len(prepared)))
        pipe.send([model._replace(prepared=prepared[model.source]) for model in models])
    except (NmtLstmError, OSError) as problem:
        pipe.send(problem)


def _prepared(model: Path, options: LoadOptions, folder: Path) -> Path:
    """Return the folder that workers load: this one with the prepared model, or that of the model itself."""
    from nmt_lstm.checkpoint import model_folder
    from nmt_lstm.inference.exported import write_exported
    from nmt_lstm.inference.loading import model_precision
    from nmt_lstm.numerics.device import choose_device
    from nmt_lstm.numerics.inference_linear import InferencePrecision

    source = model_folder.read(model)
    device = choose_device(options.device)
    if source.manifest.exported or device.type != "cpu":
        return model
    precision = model_precision(options.precision, device)
    if precision not in get_args(InferencePrecision):
        return model
    write_exported(folder, source, cast(InferencePrecision, precision))
    return folder
