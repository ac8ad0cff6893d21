"""A worker: a process that loads the models and translates the batches that come through its pipe."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.errors import DataError, NmtLstmError, ResourceError
from nmt_lstm.server.settings import LoadOptions, ModelFiles
from nmt_lstm.server.units import Failure, Kind, Translated, Unit

if TYPE_CHECKING:
    from nmt_lstm.inference.text_options import TextOptions
    from nmt_lstm.inference.translator import Translator

__all__ = ["Batch", "Reply", "work"]

Batch = tuple[Kind, list[Unit]]
Reply = tuple[list["Translated | Failure"], float]
"""What became of each unit, and the seconds that it took."""

LENGTH_STEP = 32
"""Of padding: lines that come at the same time are few, and of all lengths. Measured with 16 lines of Multi30k at a time:
7.7 ms a line instead of 13.3 with 8, which bulk translation uses; with 32 lines 7.4 instead of 9.8."""

logger = logging.getLogger(__name__)


def work(pipe: Connection, models: Sequence[ModelFiles], options: LoadOptions, *, quiet: bool) -> None:
    """Load the models, say so, and answer batches until the other end of the pipe is closed.

    Args:
        pipe: to the server. The first message is None, or the `NmtLstmError` that prevents work.
        models: which.
        options: how they are loaded.
        quiet: whether another worker shows the same warnings.
    """
    # A terminal and a service manager send these to all processes; the server decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _show_log(quiet=quiet)
    try:
        translators = _load(models, options)
    except NmtLstmError as problem:
        pipe.send(problem)
        return
    from nmt_lstm.inference.text_options import TextOptions

    tags = {model.name: model.tag for model in models}
    text = TextOptions(split_sentences=options.split_sentences)
    try:
        pipe.send(None)
        while True:
            kind, units = pipe.recv()
            start = time.perf_counter()
            if tag := tags[kind.model]:
                units = [dataclasses.replace(unit, tag=tag) for unit in units]
            results = _translate(translators[kind.model], kind, units, text)
            pipe.send((results, time.perf_counter() - start))
    except (EOFError, OSError):
        # The server has closed its end, or is gone. Interpreters with torch take long to end in an orderly way.
        os._exit(0)


def _show_log(*, quiet: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("nmt-lstm: %(levelname)s: %(message)s"))
    package = logging.getLogger("nmt_lstm")
    package.handlers[:] = [handler]
    package.propagate = False
    package.setLevel(logging.ERROR if quiet else logging.WARNING)


def _load(models: Sequence[ModelFiles], options: LoadOptions) -> dict[str, Translator]:
    import torch

    torch.set_num_threads(options.threads)
    from nmt_lstm.checkpoint import model_folder
    from nmt_lstm.checkpoint.plugin_records import run_copies
    from nmt_lstm.inference.translator import Translator
    from nmt_lstm.registry import load_plugin_file

    for file in options.plugins:
        load_plugin_file(str(file))
    translators = {}
    loaded: dict[Path, Translator] = {}
    for name, source, prepared, _ in models:
        if source in loaded:  # for another direction, with another tag
            translators[name] = loaded[source]
            continue
        if options.trust_plugins:
            model = model_folder.read(source)
            run_copies(model.folder, model.manifest.plugins)
        translators[name] = Translator.load(
            prepared, device=options.device, precision=options.precision, length_step=LENGTH_STEP
        )
        # Whoever looks into the network needs the trained weights.
        translators[name].folders = (source,)
        loaded[source] = translators[name]
    return translators


def _translate(
    translator: Translator, kind: Kind, units: list[Unit], text: TextOptions
) -> list[Translated | Failure]:
    """Return what became of each unit: one that fails does not take others with it."""
    from nmt_lstm.server.tasks import TASKS

    try:
        return [*TASKS[kind.task](translator, kind, units, text)]
    except Exception as problem:
        if len(units) > 1:
            return [result for unit in units for result in _translate(translator, kind, [unit], text)]
        if isinstance(problem, (ResourceError, DataError)):
            return [Failure(str(problem))]
        logger.exception("model '%s' failed", kind.model)
        return [Failure("the model failed; the server's log says why")]
