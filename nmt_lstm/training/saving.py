"""Saving what a `TranslationModule` has learnt as a model folder, after a training of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.model.build import build_unweighted_model
from nmt_lstm.training.module import TranslationModule

__all__ = ["save_model"]


def save_model(
    folder: str | Path,
    module: TranslationModule,
    run: RunSettings,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Write a trained module as a model folder for `Translator.load` and the command line.

    If `training.ema` is set, the average of the weights is saved, as validation used it. The file is written by the
    process that calls: with several processes, call it in the first one only (``if trainer.is_global_zero``).

    Args:
        folder: to write: new, empty, or a model folder, whose model is replaced.
        module: what was trained.
        run: its settings: ``run.model`` must be those the network was built from.
        metrics: stored in ``metrics.json``; by default the results of the last validation, if there was one.

    Raises:
        ConfigurationError: the weights do not fit ``run.model``; nothing was written.
        ModelFolderError: the folder belongs to something else.
        OSError: it cannot be written.
    """
    if metrics is None:
        last = module.last_validation
        metrics = {} if last is None else {"validation": last.record(module.search.beam_size)}
    _check_fits(module, run)
    with nullcontext() if module.average is None else module.average.applied():
        model_folder.write(
            folder,
            run=run,
            subwords=module.subwords,
            model_state=module.model.state_dict(),
            metrics=metrics,
        )


def _check_fits(module: TranslationModule, run: RunSettings) -> None:
    """Refuse before anything is written: a model folder of other settings could not be loaded."""
    sizes = module.subwords.source.size, module.subwords.target.size
    expected = build_unweighted_model(run.model, *sizes).state_dict()
    found = module.model.state_dict()
    for name in sorted(expected.keys() | found.keys()):
        shapes = [tuple(state[name].shape) if name in state else None for state in (found, expected)]
        if shapes[0] != shapes[1]:
            raise ConfigurationError(
                f"the module's '{name}' has shape {shapes[0]}, but run.model describes {shapes[1]}; pass the run that "
                f"the network was built from."
            )
