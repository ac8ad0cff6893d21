"""From settings to a run that is ready to train: opens a whole `RunSettings` and gives each part what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.plugin_records import plugin_digests
from nmt_lstm.config.schema import RunSettings, TrainingSettings
from nmt_lstm.text.preparation import Prepared
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.kept_weights import KeptWeights
from nmt_lstm.training.last_checkpoint import LastCheckpoint
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.pace import Pace, measure_pace
from nmt_lstm.training.resumption import Standing
from nmt_lstm.training.run_control import RunControl
from nmt_lstm.training.run_record import check_plugins, check_same_run, run_record, with_recorded_widths
from nmt_lstm.training.run_report import RunReport
from nmt_lstm.training.saving import ModelWriter
from nmt_lstm.training.session import Session
from nmt_lstm.training.summary import say_choices, say_text
from nmt_lstm.training.validator import Validator
from nmt_lstm.training.width_choice import Network, choose_widths

__all__ = ["Assembly", "assemble"]

# Seconds in which each network considered is measured before a run, and the shortest run for which that pays.
MEASURED_SECONDS = 1.0
WORTH_MEASURING = 200


@dataclass(frozen=True)
class Assembly:
    """A run that is ready to train."""

    session: Session
    settings: TrainingSettings
    """How it is trained; the widths may have changed the learning rate."""
    prepared: Prepared
    data: TranslationDataModule
    module: TranslationModule
    control: RunControl
    writer: ModelWriter
    standing: Standing | None
    """Where a resumed run continues; None at a start."""
    beam_size: int
    """Beam size with which the final weights are compared."""
    narrowed: bool
    """Whether the network is narrower than asked for, to fit into the time limit."""

    @property
    def first_step(self) -> int:
        """Optimizer steps that were done before."""
        return 0 if self.standing is None else self.standing.step

    @property
    def parameters(self) -> int:
        """Trained values."""
        return sum(weight.numel() for weight in self.module.parameters())


def assemble(
    run: RunSettings, prepared: Prepared, session: Session, *, accept_changed_plugins: bool
) -> Assembly:
    """Build the parts of a run (of a resumed one as its checkpoint dictates) and report them to the user.

    Args:
        run: the settings.
        prepared: its text.
        session: the call of `fit`.
        accept_changed_plugins: resume even if plugin files have changed since the run began.

    Raises:
        ChangedPluginError: the plugin files of the run to be resumed were changed.
        ConfigurationError: the run to be resumed has other settings, or more epochs.
        ModelFolderError: it was trained with a different vocabulary or text, or its checkpoint cannot be read.
        PluginError: a cell or attention is unknown or does not take its options.
    """
    checkpoint, budget = session.checkpoint, session.budget
    standing = Standing.read(checkpoint) if session.resume and checkpoint.exists() else None
    say_text(session.display, prepared)
    data = TranslationDataModule.of_run(run, prepared)
    network, outlook, asked = Network(run.model, run.training), list[str](), run.model
    if standing is not None:
        network = with_recorded_widths(network, standing.record)
    elif session.devices.world_size == 1 and _total_steps(run.training, data) >= WORTH_MEASURING:
        # Several processes would have to agree on what each of them measured, so they train what was asked for.
        network, outlook = _within_time(network, prepared, data, session)
    run = run.model_copy(update=network._asdict())
    settings = run.training
    record = run_record(
        run.model_dump(mode="json"),
        plugins=plugin_digests(run),
        subwords=prepared.subwords,
        fingerprint=prepared.fingerprint,
    )
    if standing is not None:
        check_same_run(standing.record, record, path=str(checkpoint))
        if session.launch.is_first:
            check_plugins(session.output, standing.record, record, accept_changes=accept_changed_plugins)
        standing.check(settings)
    module = TranslationModule.of_run(run, prepared, total_steps=_total_steps(settings, data))
    budget.expect(
        # Greedy search and the loss take about as long as the three products of a training step.
        validation_steps=data.steps_per_epoch() * len(prepared.valid_target) / len(prepared.train),
        final_validations=_final_validations(settings, run.search.beam_size),
        beam_factor=1.0 + 0.35 * (run.search.beam_size - settings.valid_beam_size),
    )

    def write(state: Mapping[str, Tensor], metrics: Mapping[str, Any]) -> None:
        model_folder.write(
            session.output, run=run, subwords=prepared.subwords, model_state=state, metrics=metrics
        )

    writer = ModelWriter(session.output, write, budget)
    control = _control(settings, session, data, writer, record, standing)
    assembly = Assembly(
        session,
        settings,
        prepared,
        data,
        module,
        control,
        writer,
        standing,
        beam_size=run.search.beam_size,
        narrowed=network.model != asked,
    )
    for sentence in outlook:
        session.display.say(sentence)
    say_choices(session, network, assembly.parameters)
    if standing is not None:
        session.display.say(f"Resumed from {checkpoint}.")
    return assembly


def _control(
    settings: TrainingSettings,
    session: Session,
    data: TranslationDataModule,
    writer: ModelWriter,
    record: Mapping[str, Any],
    standing: Standing | None,
) -> RunControl:
    """Return what validates, saves and stops the run."""
    report = RunReport(
        display=session.display,
        budget=session.budget,
        epochs=settings.epochs,
        beam_size=settings.valid_beam_size,
        sources=data.valid_source,
        references=data.valid_target,
    )
    return RunControl(
        settings=settings,
        budget=session.budget,
        signals=session.signals,
        validator=Validator(
            batches=data.validation_batches,
            precision=session.precision,
            signals=session.signals,
            weights=KeptWeights(
                session.checkpoint.parent,
                metric=settings.metric,
                best=max(settings.keep_best, settings.average_count if settings.average == "best" else 1),
                last=settings.average_count if settings.average == "last" else 0,
            ),
            writer=writer,
            report=report,
        ),
        checkpoint=LastCheckpoint(
            session.checkpoint,
            saved_step=-1 if standing is None else standing.step,
            proven=standing is not None and standing.validated,
        ),
        record=record,
    )


def _within_time(
    network: Network, prepared: Prepared, data: TranslationDataModule, session: Session
) -> tuple[Network, list[str]]:
    """Return the network that this machine can train in the run's time, and what there is to say about that."""

    def pace(candidate: Network) -> Pace:
        return measure_pace(
            *candidate,
            subwords=prepared.subwords,
            batches=data.batches(0),
            device=session.devices.device,
            precision=session.precision,
            seconds=MEASURED_SECONDS,
        )

    choice = choose_widths(network, pace, spent=session.budget.elapsed)
    return choice.network, choice.sentences


def _total_steps(settings: TrainingSettings, data: TranslationDataModule) -> int:
    steps = settings.epochs * data.steps_per_epoch()
    return min(steps, settings.max_steps) if settings.max_steps else steps


def _final_validations(settings: TrainingSettings, beam_size: int) -> int:
    """Return how many validations the choice of the final weights needs at most."""
    if settings.average != "none" and settings.average_count > 1:
        return 2
    return int(beam_size != settings.valid_beam_size)
