"""The end of a run: select the final weights by validation, write the model folder, and return the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from nmt_lstm.checkpoint.averaging import average_states
from nmt_lstm.checkpoint.folder_files import WEIGHTS
from nmt_lstm.checkpoint.manifest import Manifest, check_files
from nmt_lstm.checkpoint.weights import load_weights
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.training.assembly import Assembly
from nmt_lstm.training.best_checkpoints import BestCheckpoints, WeightsCheckpoint
from nmt_lstm.training.devices import broadcast_from_first, gather_objects, is_first_process
from nmt_lstm.training.diagnosis import diagnose
from nmt_lstm.training.fit_result import FitResult, show_summary
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.validation import ValidationResult, is_better

__all__ = ["SelectedWeights", "publish", "select_weights"]


@dataclass(frozen=True)
class SelectedWeights:
    """The weights that become the model."""

    state: dict[str, Tensor]
    result: ValidationResult
    steps: list[int]
    """The optimizer steps after which the weights were taken; several are averaged."""


def select_weights(trainer: pl.Trainer, assembly: Assembly) -> SelectedWeights | None:
    """Validate the last weights if that is still to be done, and select the weights that become the model.

    The average of several checkpoints is compared with the best one, both with `assembly.beam_size`; the average wins
    a tie. Afterwards the module contains the selected weights. All processes must take part.

    Files of weights that are missing or were changed take no part, with a warning. If none is left, the model stays what
    it is; if that is damaged as well, the last weights become the model.

    Returns:
        The selected weights; None if no weights were saved or left, or no time was left to compare: then the model folder
        already contains the best single weights.

    Raises:
        TrainingInterrupted: a signal came.
    """
    module, callback, device = assembly.module, assembly.callback, trainer.strategy.root_device
    checkpoints, metric = callback.validator.checkpoints, assembly.settings.metric
    module.to(device)  # Lightning has moved it to the processor
    if callback.validator.step != trainer.global_step and not callback.skips_validation():
        callback.validate(trainer, module)
    trainer.strategy.barrier("the weights are written")
    selected: SelectedWeights | None = None
    if callback.has_time_to_validate(device) and not _drop_damaged(checkpoints, assembly):
        with module.averaged():
            result = callback.validator.translate(module, assembly.beam_size)
            if result is not None:
                last = {
                    name: weight.to("cpu", copy=True) for name, weight in module.model.state_dict().items()
                }
                selected = SelectedWeights(last, result, [trainer.global_step])
    for candidate in _candidates(checkpoints, assembly.settings):
        if not callback.has_time_to_validate(device):
            # An average that nothing was compared with must not replace the best weights.
            selected = None
            break
        state = _load_average(module, [checkpoints.path(each) for each in candidate])
        result = callback.validator.translate(module, assembly.beam_size)
        if result is None:
            break
        if selected is None or is_better(metric, result.metrics[metric], selected.result.metrics[metric]):
            selected = SelectedWeights(state, result, [each.step for each in candidate])
    if callback.signals.received:
        raise TrainingInterrupted(callback.signals.received)
    if selected is not None:
        module.model.load_state_dict(selected.state)
    return selected


def _candidates(
    checkpoints: BestCheckpoints, settings: TrainingSettings
) -> list[Sequence[WeightsCheckpoint]]:
    """Return the checkpoints to average, if there are several, and the best single one."""
    best = checkpoints.best()
    averaged: list[WeightsCheckpoint] = []
    if settings.average != "none":
        averaged = (best if settings.average == "best" else checkpoints.latest())[: settings.average_count]
    return [candidate for candidate in (averaged if len(averaged) > 1 else [], best[:1]) if candidate]


def _load_average(module: TranslationModule, files: Sequence[Path]) -> dict[str, Tensor]:
    """Load the average of files of weights into the module, and return it; only the first process's machine need have them."""
    if is_first_process():
        state = average_states([load_weights(file, torch.device("cpu")) for file in files])
        module.model.load_state_dict(state)
    broadcast_from_first(module.model.state_dict().values())
    if not is_first_process():
        state = {name: weight.to("cpu", copy=True) for name, weight in module.model.state_dict().items()}
    return state


def _drop_damaged(checkpoints: BestCheckpoints, assembly: Assembly) -> bool:
    """Leave out files that differ from their checksums, with a warning, unless the model in the folder is the same.

    The first process decides for all: only the process that wrote the files in this run knows their checksums, and only
    its machine need have them.

    Returns:
        Whether there is a model: weights to select from, or an intact model folder, or nothing that was ever saved.
    """
    warnings: dict[str, str] = {}
    folder, is_intact = assembly.context.output, True
    for each in checkpoints.checkpoints if is_first_process() else ():
        damage = checkpoints.damage(each)
        if damage and not checkpoints.restore(each, folder / WEIGHTS):
            warnings[each.file] = f"'{checkpoints.path(each)}' {damage}"
    if len(warnings) == len(checkpoints.checkpoints) > 0:
        try:
            check_files(folder, Manifest.read(folder))
        except ModelFolderError:
            is_intact = False
    warnings, is_intact = gather_objects((warnings, is_intact))[0]
    checkpoints.drop(warnings)
    rest = "the model in the folder is not replaced" if is_intact else "the last weights become the model"
    if checkpoints.checkpoints:
        rest = "the weights of the model are selected without it"
    for text in warnings.values():
        assembly.context.display.say(f"warning: {text}; {rest}.")
    return is_intact


def publish(trainer: pl.Trainer, assembly: Assembly, selected: SelectedWeights | None) -> FitResult:
    """Write the selected weights as the model, and return the result of the run; all processes must take part."""
    module, callback, writer = assembly.module, assembly.callback, assembly.writer
    resume_point, context = assembly.resume_point, assembly.context
    if resume_point is not None and trainer.global_step == resume_point.step:
        context.display.say(
            f"Nothing was left to train: {callback.stop_reason}. To train longer, resume with a larger "
            f"{callback.limiting_setting}."
        )
    if selected is not None:
        writer.write(
            selected.state,
            selected.result,
            assembly.beam_size,
            selected.steps,
            on_disk=trainer.is_global_zero,
        )
    elif callback.validator.checkpoints.checkpoints:
        context.display.say(
            "No time was left to compare weights; the model has those of the best validation."
        )
    trainer.strategy.barrier("the model is written")
    # Only the first process's machine has the file with those of a model from before a resume.
    stored = gather_objects(writer.metrics if is_first_process() else {})[0]
    validation = stored["validation"]
    metrics, scores = _metrics(validation), _scores(validation)
    result = FitResult(
        folder=context.output,
        task=module.task,
        metrics=metrics,
        signatures={name: validation[name]["signature"] for name in scores},
        beam_size=validation["beam_size"],
        averaged_steps=stored["weights_of_steps"],
        steps=trainer.global_step,
        # Lightning counts an epoch that was stopped early as completed; a resumed run at its end starts none.
        epochs=module.epochs_started or (0 if resume_point is None else resume_point.epochs_started),
        planned_epochs=0 if assembly.streamed else assembly.settings.epochs,
        out_of_time=callback.out_of_time,
        time_limit=context.budget.limit,
        narrowed=assembly.narrowed,
        seconds=context.budget.elapsed(),
        reason=callback.stop_reason,
        diagnosis=diagnose(
            callback.validator.curve,
            bleu=scores["bleu"],
            chrf=scores["chrf"],
            pairs=None if assembly.prepared.store is None else len(assembly.prepared.store),
            out_of_time=callback.out_of_time,
        )
        if "bleu" in scores
        else [],
        parameters=assembly.parameters,
        fingerprint=assembly.prepared.fingerprint,
        curve=callback.validator.curve,
        validation_sets={name: _metrics(each) for name, each in stored.get("validation_sets", {}).items()},
        split_batches=callback.split_batches,
        skipped_steps=module.guard.skipped,
        returns=module.guard.returns,
        tags=assembly.prepared.data.tags() if assembly.prepared.data.is_tagged else (),
        insight={} if assembly.insight is None else assembly.insight.summary(),
    )
    if trainer.is_global_zero:
        show_summary(context.display, result)
    return result


def _scores(validation: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores of a validation as stored in ``metrics.json``."""
    return {name: value["score"] for name, value in validation.items() if isinstance(value, dict)}


def _metrics(validation: Mapping[str, Any]) -> dict[str, float]:
    """Return the loss, the perplexity and the scores of a validation as stored in ``metrics.json``."""
    names = [name for name in ("loss", "perplexity") if name in validation]
    return {**{name: validation[name] for name in names}, **_scores(validation)}
