"""What a run reports while it lasts: choices, steps, validations, and how to continue; at the display and in the logs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
from rich.cells import cell_len

from nmt_lstm.config.defaults import planned_length
from nmt_lstm.config.schema import OptimizerSettings, TrainingSettings
from nmt_lstm.errors import DivergenceError
from nmt_lstm.evaluation.columns import of_any_size, perplexity
from nmt_lstm.plain_text import count_of
from nmt_lstm.training.diagnosis import ValidationPoint
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.output_folder import has_checkpoint, resume_command
from nmt_lstm.training.progress import ProgressDisplay, StepProgress, duration, search_name
from nmt_lstm.training.run_context import RunContext
from nmt_lstm.training.step_guard import StepGuard
from nmt_lstm.training.throughput import StepStatistics
from nmt_lstm.training.time_budget import TimeBudget
from nmt_lstm.training.validation import SCORE_LABELS, ValidationResult
from nmt_lstm.training.validation_sets import SET_TABLE
from nmt_lstm.training.width_choice import Network

__all__ = [
    "RunReport",
    "advice_after_divergence",
    "report_choices",
    "report_interruption",
    "with_advice",
]


class RunReport:
    """Reports the steps and validations of a run.

    Args:
        display: shows the progress.
        budget: the time spent, and its limit.
        epochs: of the whole run; 0 for a stream, which has none.
        beam_size: of the validations between steps.
        sources: source side of the validation text, for samples.
        references: its target side.
    """

    def __init__(
        self,
        *,
        display: ProgressDisplay,
        budget: TimeBudget,
        epochs: int,
        beam_size: int,
        sources: Sequence[str],
        references: Sequence[str],
    ) -> None:
        self.display = display
        self.budget = budget
        self.epochs = epochs
        self.beam_size = beam_size
        self.sources = sources
        self.references = references
        self._reported_splits = False

    def step(self, trainer: pl.Trainer, module: TranslationModule, best_bleu: float | None) -> None:
        """Show the progress after a step, unless it was shown a moment ago.

        Args:
            trainer: its steps and epochs.
            module: its learning rate, and its meter since the progress was last shown.
            best_bleu: of the validations so far; None before the first.
        """
        if not self.display.is_due():
            return
        statistics = module.meters.display.take()
        self.display.show(
            StepProgress(
                epoch=trainer.current_epoch + 1,
                epochs=self.epochs,
                step=trainer.global_step,
                fraction=module.steps_done(),
                limit_remaining=self.budget.remaining(),
                pieces_per_second=statistics.pieces_per_second(trainer.world_size),
                loss=statistics.mean_loss,
                gradient_norm=float(module.gradient_norm) if module.gradient_norm is not None else math.nan,
                learning_rate=module.learning_rate,
                bleu=best_bleu,
            )
        )

    def splits(self, batches: int, pairs: int) -> None:
        """Say so when the first batch did not fit into memory.

        Args:
            batches: batches that this process has split.
            pairs: number of pairs of the last one.
        """
        if not batches or self._reported_splits:
            return
        self._reported_splits = True
        self.display.say(
            f"warning: a batch of {count_of(pairs, 'pair')} did not fit into memory; it was computed in parts, with the same "
            f"result. A smaller training.batch_pieces, or a larger training.accumulate, avoids this. Further batches are "
            f"counted without a message."
        )

    def first_validation_after_limit(self, time_limit: str) -> None:
        """Say why a run whose time is over continues: it has no model yet."""
        self.display.say(
            f"The time limit of {time_limit} is reached, but no model exists yet: one validation follows, and the "
            f"model is written."
        )

    def validation(
        self, trainer: pl.Trainer, result: ValidationResult, statistics: StepStatistics, *, improved: bool
    ) -> ValidationPoint:
        """Log a validation, show it (at a terminal with samples), and return its point on the learning curve.

        Args:
            trainer: its steps, epochs and loggers.
            result: of the validation.
            statistics: of the training steps since the previous validation.
            improved: whether the metric is the best so far.
        """
        point = ValidationPoint(
            trainer.global_step,
            statistics.mean_loss,
            result.loss,
            bleu=result.metrics.get("bleu", math.nan),
            chrf=result.metrics.get("chrf", math.nan),
            seconds=self.budget.elapsed(),
            pieces_per_second=statistics.pieces_per_second(trainer.world_size),
        )
        row = {**result.logged, "epoch": float(trainer.current_epoch), "elapsed_seconds": point.seconds}
        if statistics.pieces:
            row["target_pieces_per_second"] = point.pieces_per_second
        for name, each in result.sets.items():
            row |= {f"{SET_TABLE}/{name}/{column}": value for column, value in each.metrics.items()}
            row[f"{SET_TABLE}/{name}/perplexity"] = each.perplexity
        for logger in trainer.loggers:
            logger.log_metrics(row, step=point.step)
            logger.save()
        search = f", {search_name(self.beam_size)}" if result.translations else ""
        columns = [
            f"validation at step {point.step:,} (epoch {trainer.current_epoch + 1}, {duration(point.seconds)}{search}):",
            *_columns(result),
            *(["best so far"] if improved else []),
        ]
        for line in self._lines(columns):
            self.display.say(line)
        width = max((len(name) for name in result.sets), default=0)
        for name, each in result.sets.items():
            self.display.say("  ".join([f"    {name:{width}}", *_columns(each)]))
        if self.display.console.is_terminal and result.indices:
            self._show_samples(point.step, result)
        return point

    def _lines(self, columns: Sequence[str]) -> list[str]:
        """Return columns as one line, or at a terminal that is too narrow as several, none of which breaks within a column."""
        console, lines = self.display.console, [columns[0]]
        for column in columns[1:]:
            longer = f"{lines[-1]}  {column}"
            if console.is_terminal and cell_len(longer) > console.width:
                lines.append(f"    {column}")
            else:
                lines[-1] = longer
        return lines

    def _show_samples(self, step: int, result: ValidationResult) -> None:
        """Show two translations; which ones follows from the step, so that every run shows the same."""
        count = len(result.indices)
        for number in sorted({step % count, (step * 31 + count // 2) % count}):
            line = result.indices[number]
            self.display.say(f"    source       {self.sources[line]}", style="dim")
            self.display.say(f"    translation  {result.translations[number] or '(empty)'}")
            self.display.say(f"    reference    {self.references[line]}", style="dim")


def _columns(result: ValidationResult) -> list[str]:
    """Return the loss and the scores of a validation, as they are shown."""
    return [
        f"loss {of_any_size(result.loss, 3)}",
        *([f"perplexity {perplexity(result.loss)}"] if result.is_likelihood else []),
        *(f"{SCORE_LABELS.get(name, score.name)} {score.value:.2f}" for name, score in result.scores.items()),
    ]


def report_choices(context: RunContext, network: Network, parameters: int, *, streamed: bool = False) -> None:
    """Report what is trained, on which devices, and for how long: a number of epochs, or a stream."""
    model, training, _ = network
    encoder, decoder = model.encoder, model.decoder
    if encoder.is_recurrent:
        cells = encoder.cell if encoder.cell == decoder.cell else f"{encoder.cell} and {decoder.cell}"
        layers = f"{encoder.layers}+{decoder.layers} layers of {cells}, attention {model.attention.name}"
    else:
        layers = (
            f"encoder {described(encoder.name, encoder.options)}, {count_of(decoder.layers, 'decoder layer')} of {decoder.cell}, "
            f"attention {model.attention.name}"
        )
    if not network.has_encoder:
        layers = f"{count_of(decoder.layers, 'layer')} of {decoder.cell}"
    if not network.has_decoder:
        what = encoder.cell if encoder.is_recurrent else encoder.name
        layers = f"{count_of(encoder.layers, 'layer')} of {what}"
    limit = f", at most {training.time_limit}" if training.time_limit else ""
    length = planned_length(training)
    if streamed:
        length = "a stream"
        if training.max_steps:
            length += f" (at most {count_of(training.max_steps, 'step')})"
    context.display.say(f"{parameters:,} parameters: {layers}")
    context.display.say(f"{context.devices}, {context.precision}; {length}{limit}")


def described(name: str, options: Mapping[str, object]) -> str:
    """Return the name of a part with its options in parentheses: "self_attention (layers 4, heads 8)"."""
    texts = [f"{option} {value}" for option, value in options.items()]
    return f"{name} ({', '.join(texts)})" if texts else name


def report_interruption(display: ProgressDisplay, checkpoint: Path, step: int) -> None:
    """Report what an interrupted run has saved, and the command that resumes it."""
    saved = f"Training up to step {step:,} is saved" if checkpoint.exists() else "Nothing has been saved yet"
    display.say(f"\nInterrupted. {saved}. To continue:\n  {resume_command(sys.argv)}")


def with_advice(problem: DivergenceError, advice: str) -> DivergenceError:
    """Return the same error with different advice."""
    return DivergenceError(
        problem.step,
        problem.learning_rate,
        advice=advice,
        what=problem.what,
        how=problem.how,
        batch=problem.batch,
    )


def advice_after_divergence(
    settings: TrainingSettings, output: Path, problem: DivergenceError, guard: StepGuard
) -> str:
    """Return how to continue, with a peak of the learning rate below the rate at which training diverged."""
    if problem.step == 0:
        return (
            "No weight had been changed yet, so the learning rate is not the cause: check a cell, attention or encoder of your own "
            "with 'nmt-lstm plugins check', and the options of the network."
        )
    rate = min(
        OptimizerSettings().learning_rate,
        settings.optimizer.learning_rate / 4.0,
        # A resumed run halves its rate as often as it has returned.
        problem.learning_rate / 2.0 / guard.rate_factor,
    )
    options = {"training.optimizer.learning_rate": f"{rate:.2g}"}
    if not settings.clip_norm:
        options["training.clip_norm"] = "1"
    limit = ""
    if guard.action == "return" and guard.returns >= guard.limit:
        limit = f"The run has returned to a checkpoint {count_of(guard.returns, 'time')}, as often as training.divergence_limit allows. "
    if guard.action == "skip" and guard.skipped_in_a_row > guard.limit:
        limit = f"training.divergence_limit allows {guard.limit} in a row. "
    if not has_checkpoint(output):
        added = " ".join(f"--set {key}={value}" for key, value in options.items())
        return f"{limit}No checkpoint had been saved; start again with a lower learning rate:\n  {added}"
    hint = (
        " (with training.on_divergence=return, runs do that by themselves)" if guard.action == "stop" else ""
    )
    return (
        f"{limit}An earlier checkpoint is saved; continue with a lower learning rate{hint}:\n"
        f"  {resume_command(sys.argv, settings=options)}"
    )
