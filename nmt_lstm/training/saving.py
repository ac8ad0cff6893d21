"""Saving what a `TranslationModule` has learnt as a model folder, while `fit` trains and after a training of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular
from nmt_lstm.model.build import build_unweighted_model
from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.validation import ValidationResult

if TYPE_CHECKING:
    from nmt_lstm.config.schema import ModelSettings, RunSettings

__all__ = ["ModelWriter", "save_model"]


WriteFolder = Callable[[Mapping[str, Tensor], Mapping[str, Any]], None]


class ModelWriter:
    """Writes weights with what belongs to them into the run's folder, and remembers how good they are.

    Args:
        folder: of the run.
        write: writes weights and metrics into it.
        budget: the time of the run.
    """

    def __init__(self, folder: Path, write: WriteFolder, budget: TimeBudget) -> None:
        self.folder = folder
        self._write = write
        self._budget = budget
        self._metrics: dict[str, Any] = {}

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics of the model in the folder: of the last `write`, or of an earlier session's."""
        if not self._metrics:
            self._metrics = parse_json(read_regular(self.folder / "metrics.json"))
        return self._metrics

    def write(
        self,
        state: Mapping[str, Tensor],
        result: ValidationResult,
        beam_size: int,
        steps: list[int],
        *,
        on_disk: bool = True,
    ) -> None:
        """Write the model folder; the model before it stays whole until this one is.

        Args:
            state: the weights.
            result: their validation.
            beam_size: of that.
            steps: after which the weights were taken; more than one are averaged.
            on_disk: only one process should write; the others remember.

        Raises:
            ResourceError: the disk is full or cannot be written.
        """
        self._metrics = {
            "validation": result.record(beam_size),
            "weights_of_steps": steps,
            "training_seconds": round(self._budget.elapsed(), 1),
        }
        if not on_disk:
            return
        try:
            self._write(state, self._metrics)
        except OSError as problem:
            raise ResourceError(
                f"cannot write the model folder '{self.folder}' ({problem.strerror or problem}); what was saved before "
                f"is whole: free some space, then continue with --resume."
            ) from problem


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
    _check_fits(module, run.model)
    with module.averaged():
        model_folder.write(
            folder,
            run=run,
            subwords=module.subwords,
            model_state=module.model.state_dict(),
            metrics=metrics,
        )


def _check_fits(module: TranslationModule, settings: ModelSettings) -> None:
    """Refuse before anything is written: a model folder of other settings could not be loaded."""
    sizes = module.subwords.source.size, module.subwords.target.size
    expected = build_unweighted_model(settings, *sizes).state_dict()
    actual = module.model.state_dict()
    for name in sorted(expected.keys() | actual.keys()):
        shapes = [tuple(state[name].shape) if name in state else None for state in (actual, expected)]
        if shapes[0] != shapes[1]:
            raise ConfigurationError(
                f"the module's '{name}' has shape {shapes[0]}, but run.model describes {shapes[1]}; pass the run that "
                f"the network was built from."
            )
