"""From settings to a run that is ready to train: opens a whole `RunSettings`, and passes each component its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.plugin_records import plugin_digests
from nmt_lstm.config.optimizers import OPTIMIZERS
from nmt_lstm.config.schema import RunSettings, TrainingSettings
from nmt_lstm.config.tasks import TASKS, part_of
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.training.batch_budget import with_chosen_batch
from nmt_lstm.training.best_checkpoints import BestCheckpoints
from nmt_lstm.training.checkpointing import TrainingCheckpoint
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.failed_steps import FailedSteps
from nmt_lstm.training.first_checkpoint import newest_of_first
from nmt_lstm.training.fit_callback import FitCallback
from nmt_lstm.training.initial_weights import freeze, start_from
from nmt_lstm.training.insight import GradientInsight, measured_pairs
from nmt_lstm.training.model_writer import ModelWriter
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.named_class import class_record
from nmt_lstm.training.pretrained_embeddings import start_embeddings, vector_files
from nmt_lstm.training.reporting import RunReport, report_choices
from nmt_lstm.training.resumption import ResumePoint
from nmt_lstm.training.run_context import RunContext
from nmt_lstm.training.run_identity import (
    changed_processes,
    check_plugins,
    check_same_run,
    run_identity,
    with_recorded_widths,
)
from nmt_lstm.training.stream_data import StreamDataModule, check_stream_devices
from nmt_lstm.training.throughput import Throughput, measure_throughput
from nmt_lstm.training.validator import Validator
from nmt_lstm.training.width_choice import Network, choose_widths, widths_of

__all__ = ["Assembly", "assemble"]

# Seconds for which each candidate network is measured before a run, and the steps from which on that is worth it.
MEASURED_SECONDS = 1.0
WORTH_MEASURING = 200
RESUMED_STREAM = (
    " Weights and optimizer are as they were; the stream continues where its writer does, and pairs that had been read but "
    "not trained on are not repeated."
)


@dataclass(frozen=True)
class Assembly:
    """A run that is ready to train."""

    context: RunContext
    run: RunSettings
    """The settings, with the widths that were chosen."""
    settings: TrainingSettings
    """How it is trained; a narrower network may have changed the learning rate."""
    prepared: Prepared
    data: TranslationDataModule
    module: TranslationModule
    callback: FitCallback
    writer: ModelWriter
    resume_point: ResumePoint | None
    """Where a resumed run continues; None for a new run."""
    beam_size: int
    """Beam size with which the final weights are compared."""
    narrowed: bool
    """Whether the network is narrower than in the settings, to fit into the time limit."""
    insight: GradientInsight | None
    """The callback that monitors gradients; None unless `insight.gradients` is set."""

    @property
    def first_step(self) -> int:
        """Optimizer steps completed before this call."""
        return 0 if self.resume_point is None else self.resume_point.step

    @property
    def streamed(self) -> bool:
        """Whether the run trains on a stream, which has no epochs."""
        return isinstance(self.data, StreamDataModule)

    @property
    def callbacks(self) -> Sequence[pl.Callback]:
        """The callbacks of the Trainer; the run's own is last, because its checkpoints include the state of the others."""
        return [self.callback] if self.insight is None else [self.insight, self.callback]

    @property
    def parameters(self) -> int:
        """Number of trained values."""
        return sum(weight.numel() for weight in self.module.parameters())


def assemble(
    run: RunSettings,
    prepared: Prepared,
    context: RunContext,
    *,
    accept_changed_plugins: bool,
    data: TranslationDataModule | None = None,
) -> Assembly:
    """Build the components of a run, with the widths in its checkpoint if it is resumed, and report them.

    Args:
        run: the settings.
        prepared: its text.
        context: the call of `fit`.
        accept_changed_plugins: resume even if plugin files have changed since the run began.
        data: the data of the run, if it has trained before and returned to a checkpoint; then little is reported.

    Raises:
        ChangedPluginError: the plugin files of the run to be resumed were changed.
        ConfigurationError: the run to be resumed has different settings, or more epochs or steps are done.
        ModelFolderError: it was trained with a different vocabulary or text, or its checkpoint cannot be read.
        PluginError: a cell or attention is unknown or does not accept its options.
    """
    checkpoint, budget = context.checkpoint_path, context.budget
    resume_point = None
    if context.resume:
        resume_point = newest_of_first(context.output, context.launch, context.peers, context.copies)
    if resume_point is not None:
        checkpoint = resume_point.path
    if not context.returned:
        for line in prepared.describe():
            context.display.say(line)
    streamed = prepared.store is None
    if streamed:
        check_stream_devices(context.devices.world_size)
    kind = StreamDataModule if streamed else part_of(TASKS[run.task].batches)
    started = None if resume_point is None else resume_point.identity
    run, forecast = with_chosen_batch(run, prepared, context, kind.of_run, started)
    data = data or kind.of_run(run, prepared)
    network = Network(run.model, run.training, run.task)
    requested = widths_of(run.model)
    if resume_point is not None:
        network = with_recorded_widths(network, resume_point.identity, path=checkpoint)
        requested = (resume_point.identity or {}).get("requested", requested)
    elif (
        context.devices.world_size == 1
        and not streamed  # batches that are measured would be lost for training
        and run.training.init_from is None
        and not vector_files(run.training)
        and network.has_decoder
        and _total_steps(run.training, data) >= WORTH_MEASURING
    ):
        # Several processes would have to agree on their measurements, so they train the network of the settings.
        network, sentences = _fit_time_limit(network, prepared, data, context)
        forecast += sentences
    narrowed = network.model != run.model
    run = run.model_copy(update=network._asdict())
    settings = run.training
    identity = run_identity(
        run.model_dump(mode="json"),
        plugins=plugin_digests(run),
        subwords=prepared.subwords,
        fingerprint=prepared.fingerprint,
        texts=[digest for _, digest in prepared.texts],
        requested=requested,
        weights=[part.weight for part in prepared.parts],
    )
    identity["processes"] = context.devices.world_size
    if resume_point is not None:
        texts = [name for name, _ in prepared.texts]
        check_same_run(resume_point.identity, identity, path=checkpoint, texts=texts)
        if context.launch.is_first:
            check_plugins(
                context.output, resume_point.identity, identity, accept_changes=accept_changed_plugins
            )
        if not streamed:
            resume_point.check_epochs(settings)
        resume_point.check_steps(settings)
    module = TranslationModule.of_run(run, prepared, total_steps=_total_steps(settings, data) or None)
    module.guard.report = FailedSteps(
        subwords=prepared.subwords if TASKS[run.task].is_text else None,
        rank=context.launch.rank,
        folder=context.output / "logs",
        say=context.display.say,
    )
    if settings.init_from is not None and resume_point is None:
        forecast.append(
            start_from(settings.init_from, module.model, prepared.subwords, task=run.task, settings=run.model)
        )
    if vector_files(settings) and resume_point is None:
        reports = start_embeddings(settings, module.model, prepared)
        forecast += [report.describe() for report in reports]
        identity["vectors"] = {report.side: report.record() for report in reports}
    elif resume_point is not None and "vectors" in (resume_point.identity or {}):
        # The weights are in the checkpoint: files of vectors may be gone.
        identity["vectors"] = (resume_point.identity or {})["vectors"]
    if settings.freeze:
        forecast.append(f"{freeze(module.model, settings.freeze):,} parameters are frozen.")
    budget.forecast(
        # Greedy search and the loss take about as long as the three products of a training step.
        validation_steps=0.0
        if streamed
        else data.steps_per_epoch() * prepared.valid_size / len(prepared.train),
        final_validations=_final_validations(settings, run.search.beam_size),
        beam_factor=1.0 + 0.35 * (run.search.beam_size - settings.valid_beam_size),
    )

    # The built-in optimizers belong to nmt-lstm and PyTorch, whose versions are in the manifest.
    named = settings.optimizer.name not in OPTIMIZERS
    record = {"optimizer": class_record(settings.optimizer.name)} if named else {}
    if identity.get("vectors"):
        record["vectors"] = identity["vectors"]

    def write(state: Mapping[str, Tensor], metrics: Mapping[str, Any]) -> None:
        model_folder.write(
            context.output,
            run=run,
            subwords=prepared.subwords,
            model_state=state,
            metrics={**metrics, **record},
        )

    writer = ModelWriter(context.output, write, budget)
    assembly = Assembly(
        context,
        run,
        settings,
        prepared,
        data,
        module,
        _callback(settings, context, data, writer, identity, resume_point),
        writer,
        resume_point,
        beam_size=run.search.beam_size,
        narrowed=narrowed,
        insight=_insight(run, context, data) if run.insight.gradients else None,
    )
    if context.returned:
        return assembly
    for sentence in forecast:
        context.display.say(sentence)
    report_choices(context, network, assembly.parameters, streamed=streamed)
    if resume_point is not None:
        if resume_point.damage:
            context.display.say(resume_point.warning(context.output))
        context.display.say(f"Resumed from {checkpoint}.{RESUMED_STREAM if streamed else ''}")
        if other_processes := changed_processes(resume_point.identity, identity):
            context.display.say(other_processes)
    return assembly


def _callback(
    settings: TrainingSettings,
    context: RunContext,
    data: TranslationDataModule,
    writer: ModelWriter,
    identity: Mapping[str, Any],
    resume_point: ResumePoint | None,
) -> FitCallback:
    """Return the callback that validates, saves and stops the run."""
    report = RunReport(
        display=context.display,
        budget=context.budget,
        epochs=0 if isinstance(data, StreamDataModule) else settings.epochs,
        beam_size=settings.valid_beam_size,
        sources=data.valid_source,
        references=data.valid_target,
    )
    return FitCallback(
        settings=settings,
        budget=context.budget,
        signals=context.signals,
        validator=Validator(
            batches=data.validation_batches,
            precision=context.precision,
            signals=context.signals,
            checkpoints=BestCheckpoints(
                context.checkpoint_path.parent,
                metric=settings.metric,
                best=max(settings.keep_best, settings.average_count if settings.average == "best" else 1),
                latest=settings.average_count if settings.average == "last" else 0,
            ),
            writer=writer,
            report=report,
        ),
        checkpoint=TrainingCheckpoint(
            context.checkpoint_path,
            saved_step=-1 if resume_point is None or resume_point.damage else resume_point.step,
            validated=resume_point is not None and resume_point.validated,
        ),
        identity=identity,
        stream_has_ended=(lambda: data.stream.ended) if isinstance(data, StreamDataModule) else None,
    )


def _insight(run: RunSettings, context: RunContext, data: TranslationDataModule) -> GradientInsight:
    return GradientInsight(
        pairs=lambda: measured_pairs(data.validation_batches()),
        every=run.insight.every,
        model=run.model,
        clip_norm=run.training.clip_norm,
        clip_value=run.training.clip_value,
        warn=lambda text: context.display.say(f"warning: {text}"),
    )


def _fit_time_limit(
    network: Network, prepared: Prepared, data: TranslationDataModule, context: RunContext
) -> tuple[Network, list[str]]:
    """Return the network that this machine can train within the run's time, and the sentences that say so."""

    def measure(candidate: Network) -> Throughput:
        return measure_throughput(
            *candidate,
            subwords=prepared.subwords,
            batches=data.batches(0),
            device=context.devices.device,
            precision=context.precision,
            seconds=MEASURED_SECONDS,
        )

    choice = choose_widths(network, measure, elapsed=context.budget.elapsed)
    return choice.network, choice.sentences


def _total_steps(settings: TrainingSettings, data: TranslationDataModule) -> int:
    """Return the planned number of steps; 0 if the length of a stream decides."""
    steps = settings.epochs * data.steps_per_epoch() or settings.max_steps
    return min(steps, settings.max_steps) if settings.max_steps else steps


def _final_validations(settings: TrainingSettings, beam_size: int) -> int:
    """Return how many validations the selection of the final weights needs at most."""
    if settings.average != "none" and settings.average_count > 1:
        return 2
    return int(beam_size != settings.valid_beam_size)
