"""Writing a trained module as a model folder: while `fit` trains, and after a training loop of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular
from nmt_lstm.files.write_errors import write_remedy
from nmt_lstm.model.build import build_unweighted_network
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.time_budget import TimeBudget
from nmt_lstm.training.validation import ValidationResult

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["ModelWriter", "save_model"]

WriteFolder = Callable[[Mapping[str, Tensor], Mapping[str, Any]], None]


class ModelWriter:
    """Writes weights with their settings into the run's folder, and remembers their metrics.

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
        """The metrics of the model in the folder: from the last `write`, or from before the run was resumed."""
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
        """Write the model folder; the previous model stays intact until this one is complete.

        Args:
            state: the weights.
            result: their validation.
            beam_size: of the validation.
            steps: the optimizer steps after which the weights were taken; several are averaged.
            on_disk: whether to write; only one process should, the others remember the metrics.

        Raises:
            ResourceError: the disk is full or not writable.
        """
        self._metrics = {
            "validation": result.to_json(beam_size),
            **(
                {"validation_sets": {name: each.to_json(beam_size) for name, each in result.sets.items()}}
                if result.sets
                else {}
            ),
            "weights_of_steps": steps,
            "training_seconds": round(self._budget.elapsed(), 1),
        }
        if not on_disk:
            return
        try:
            self._write(state, self._metrics)
        except OSError as problem:
            raise ResourceError(
                f"cannot write the model folder '{self.folder}' ({problem.strerror or problem}); earlier files are "
                f"intact: {write_remedy(problem)}, then continue with --resume."
            ) from problem


def save_model(
    folder: str | Path,
    module: TranslationModule,
    run: RunSettings,
    metrics: Mapping[str, Any] | None = None,
) -> None:
    """Write a trained module as a model folder for `Translator.load` and the command line.

    If `training.ema` is set, the moving average of the weights is saved, which validation uses too. The calling
    process writes: with several processes, call this in the first one only (``if trainer.is_global_zero``).

    Args:
        folder: where to write: a new or empty folder, or a model folder, whose model is replaced.
        module: the trained module.
        run: its settings: ``run.model`` must be those that the network was built from.
        metrics: stored in ``metrics.json``; by default the results of the last validation, if any.

    Raises:
        ConfigurationError: the weights do not fit ``run.model``; nothing was written.
        ModelFolderError: the folder belongs to another program.
        OSError: the folder is not writable.
    """
    if metrics is None:
        last = module.last_validation
        metrics = {} if last is None else {"validation": last.to_json(module.search.beam_size)}
    _check_shapes(module, run)
    with module.averaged():
        model_folder.write(
            folder,
            run=run,
            subwords=module.subwords,
            model_state=module.model.state_dict(),
            metrics=metrics,
        )


def _check_shapes(module: TranslationModule, run: RunSettings) -> None:
    """Raise an error unless the weights fit the settings, before a folder is written that could not be loaded."""
    sizes = module.subwords.source.size, module.subwords.target.size
    expected = build_unweighted_network(run.task, run.model, *sizes).state_dict()
    actual = module.model.state_dict()
    for name in sorted(expected.keys() | actual.keys()):
        shapes = [tuple(state[name].shape) if name in state else None for state in (actual, expected)]
        if shapes[0] != shapes[1]:
            raise ConfigurationError(
                f"the module's '{name}' has shape {shapes[0]}, but run.model describes {shapes[1]}; pass the run that "
                f"the network was built from."
            )
