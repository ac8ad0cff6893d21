"""The end of a training run: its last validation, the choice of weights, the model, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytorch_lightning as pl
import torch
from torch import Tensor

from nmt_lstm.checkpoint.averaging import average_states
from nmt_lstm.checkpoint.weights import load_weights
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.training.assembly import Assembly
from nmt_lstm.training.devices import all_reduce_max
from nmt_lstm.training.diagnosis import diagnose
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.kept_weights import KeptWeights, Record, is_better
from nmt_lstm.training.summary import FitResult, show_summary
from nmt_lstm.training.validation import ValidationResult

__all__ = ["Chosen", "choose", "publish"]


@dataclass(frozen=True)
class Chosen:
    """The weights that become the model."""

    state: dict[str, Tensor]
    result: ValidationResult
    steps: list[int]
    """Optimizer steps after which the weights were taken; more than one are averaged."""


def choose(trainer: pl.Trainer, assembly: Assembly) -> Chosen | None:
    """Validate the last weights if that has not been done, and choose those that become the model.

    The average of several is compared with the best single weights, both translating with `assembly.beam_size`; the
    average wins a tie. Afterwards the module holds the chosen weights. All processes must take part.

    Returns:
        What was chosen; None means that nothing was kept, or that no time was left to compare: then the best single
        weights stand in the model folder already.

    Raises:
        TrainingInterrupted: a signal came.
        ModelFolderError: a file of kept weights is missing or was changed.
    """
    module, control, device = assembly.module, assembly.control, trainer.strategy.root_device
    module.to(device)  # Lightning has moved it away
    if control.validator.step != trainer.global_step and not control.skips_validation():
        control.validate(trainer, module)
    trainer.strategy.barrier("kept weights are written")
    chosen: Chosen | None = None
    for records in _candidates(control.validator.weights, assembly.settings):
        if not control.has_time_to_validate(device):
            chosen = None
            break
        weights = control.validator.weights
        _check(weights, records, device)
        state = average_states(
            [load_weights(weights.path(record), torch.device("cpu")) for record in records]
        )
        module.model.load_state_dict(state)
        result = control.validator.translate(module, assembly.beam_size)
        if result is None:
            break
        metric = assembly.settings.metric
        if chosen is None or is_better(metric, result.metrics[metric], chosen.result.metrics[metric]):
            chosen = Chosen(state, result, [record.step for record in records])
    if control.signals.received:
        raise TrainingInterrupted(control.signals.received)
    if chosen is not None:
        module.model.load_state_dict(chosen.state)
    return chosen


def _candidates(weights: KeptWeights, settings: TrainingSettings) -> list[Sequence[Record]]:
    """Return the records of the weights to be averaged, if there are several, and the best single ones."""
    best = weights.best()
    averaged = {"best": best, "last": weights.last()}.get(settings.average, [])[: settings.average_count]
    return [records for records in (averaged if len(averaged) > 1 else [], best[:1]) if records]


def _check(weights: KeptWeights, records: Sequence[Record], device: torch.device) -> None:
    """Compare files with their checksums; what one process finds, all refuse, before any of them loads a file.

    Only the first process has the checksums of files that it wrote itself.

    Raises:
        ModelFolderError: a file is missing or was changed.
    """
    problem: ModelFolderError | None = None
    try:
        for record in records:
            weights.check(record)
    except ModelFolderError as damage:
        problem = damage
    if all_reduce_max([float(problem is not None)], device)[0]:
        raise problem or ModelFolderError(
            "a different process found kept weights missing or changed; it says which."
        )


def publish(trainer: pl.Trainer, assembly: Assembly, chosen: Chosen | None) -> FitResult:
    """Write the chosen weights as the model, and return the result of the run; all processes must take part."""
    module, control, writer = assembly.module, assembly.control, assembly.writer
    standing, session = assembly.standing, assembly.session
    if standing is not None and trainer.global_step == standing.step:
        session.display.say(
            f"Nothing was left to train: {control.reason}. To train longer, resume with a larger {control.ended_by}."
        )
    if chosen is not None:
        writer.write(
            chosen.state, chosen.result, assembly.beam_size, chosen.steps, on_disk=trainer.is_global_zero
        )
    elif control.validator.weights.records:
        session.display.say("No time was left to compare weights; those of the best validation are taken.")
    trainer.strategy.barrier("the model is written")
    validation = writer.metrics["validation"]
    result = FitResult(
        folder=session.output,
        metrics={
            "loss": validation["loss"],
            "perplexity": validation["perplexity"],
            "bleu": validation["bleu"]["score"],
            "chrf": validation["chrf"]["score"],
        },
        signatures={name: validation[name]["signature"] for name in ("bleu", "chrf")},
        beam_size=validation["beam_size"],
        averaged_steps=writer.metrics["weights_of_steps"],
        steps=trainer.global_step,
        # Lightning counts an epoch that was ended early as a whole one; a training that was at its end begins none.
        epochs=module.epochs_begun or (0 if standing is None else standing.epochs_begun),
        planned_epochs=assembly.settings.epochs,
        out_of_time=control.out_of_time,
        time_limit=session.budget.limit,
        narrowed=assembly.narrowed,
        seconds=session.budget.elapsed(),
        reason=control.reason,
        diagnosis=diagnose(
            control.validator.curve,
            bleu=validation["bleu"]["score"],
            pairs=len(assembly.prepared.train),
            out_of_time=control.out_of_time,
        ),
        parameters=assembly.parameters,
        fingerprint=assembly.prepared.fingerprint,
        curve=control.validator.curve,
    )
    if trainer.is_global_zero:
        show_summary(session.display, result)
    return result
