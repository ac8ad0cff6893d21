"""The end of a training: which weights become the model, the average of several or the best single ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt_lstm.checkpoint.averaging import average_states
from nmt_lstm.checkpoint.weights import load_weights
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.training.agreement import agreed
from nmt_lstm.training.kept_weights import KeptWeights, Record, is_better
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.validation import ValidationResult

__all__ = ["Chosen", "choose_final", "final_validations"]

Validate = Callable[[TranslationModule, int], ValidationResult | None]


@dataclass(frozen=True)
class Chosen:
    """The weights that become the model."""

    state: dict[str, Tensor]
    result: ValidationResult
    steps: list[int]
    """Optimizer steps after which the weights were taken; more than one are averaged."""


def final_validations(settings: TrainingSettings, beam_size: int) -> int:
    """Return how many validations `choose_final` makes at most."""
    if settings.average != "none" and settings.average_count > 1:
        return 2
    return int(beam_size != settings.valid_beam_size)


def choose_final(
    module: TranslationModule,
    kept: KeptWeights,
    *,
    beam_size: int,
    validate: Validate,
    has_time: Callable[[], bool],
) -> Chosen | None:
    """Compare the average with the best single weights, both translating with `beam_size`, and return the better.

    The average wins a tie. None means that nothing was kept, that a signal came, or that there is no time: then the
    best single weights stand in the model folder already. Afterwards the module holds the chosen weights. All
    processes must take part.

    Raises:
        ModelFolderError: a file of kept weights is missing or was changed.
    """
    settings = module.settings
    best = kept.best()
    if not best:
        return None
    averaged = {"best": best, "last": kept.last()}.get(settings.average, [])[: settings.average_count]
    candidates: list[Sequence[Record]] = [best[:1]]
    if len(averaged) > 1:
        candidates.insert(0, averaged)
    chosen: Chosen | None = None
    for records in candidates:
        if not has_time():
            return None
        _check(kept, records, module.device)
        state = average_states([load_weights(kept.path(record), torch.device("cpu")) for record in records])
        module.model.load_state_dict(state)
        result = validate(module, beam_size)
        if result is None:
            return None
        if chosen is None or _is_better(settings.metric, result.metrics, chosen.result.metrics):
            chosen = Chosen(state, result, [record.step for record in records])
    assert chosen is not None
    module.model.load_state_dict(chosen.state)
    return chosen


def _check(kept: KeptWeights, records: Sequence[Record], device: torch.device) -> None:
    """Compare files with their checksums; what one process finds, all refuse, before any of them loads a file.

    Only the first process has the checksums of files that it wrote itself.

    Raises:
        ModelFolderError: a file is missing or was changed.
    """
    problem: ModelFolderError | None = None
    try:
        for record in records:
            kept.check(record)
    except ModelFolderError as found:
        problem = found
    if agreed([float(problem is not None)], device)[0]:
        raise problem or ModelFolderError(
            "a different process found kept weights missing or changed; it says which."
        )


def _is_better(metric: str, metrics: Mapping[str, float], than: Mapping[str, float]) -> bool:
    return is_better(metric, metrics[metric], than[metric])
