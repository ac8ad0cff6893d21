"""The whole training of one run: data, model, devices, training, the choice of weights, the model folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from rich.console import Console

from nmt_lstm.checkpoint.folder_files import WRITING
from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.evaluation.scores import check_tokenizer, chosen_tokenizer
from nmt_lstm.files.left_overs import remove_left_overs
from nmt_lstm.numerics.memory import bound_kernel_memory, keep_freed_memory
from nmt_lstm.numerics.precision import Precision, resolve_precision
from nmt_lstm.text.held_out import with_validation_text
from nmt_lstm.text.preparation import Prepared, prepare
from nmt_lstm.training.clock import Clock
from nmt_lstm.training.csv_log import begin_log
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.devices import Devices, choose_devices, use_threads
from nmt_lstm.training.diagnosis import diagnose
from nmt_lstm.training.divergence import DivergenceError
from nmt_lstm.training.finish import Chosen, choose_final, final_validations
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.kept_weights import KeptWeights
from nmt_lstm.training.last_checkpoint import LastCheckpoint
from nmt_lstm.training.launch import Launch, find_launch, ignore_stray
from nmt_lstm.training.memory_limits import explain_out_of_memory
from nmt_lstm.training.model_writer import ModelWriter
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.output_folder import check_output, last_checkpoint, made_folder
from nmt_lstm.training.output_lock import check_not_held, held_by_this_run
from nmt_lstm.training.pace import Pace, measure_pace
from nmt_lstm.training.plugin_changes import check_plugins
from nmt_lstm.training.processes import explain_lost_process, run_processes
from nmt_lstm.training.progress import ProgressDisplay
from nmt_lstm.training.quiet import quiet_lightning
from nmt_lstm.training.resumption import Standing
from nmt_lstm.training.run_control import RunControl
from nmt_lstm.training.run_record import check_same_run, run_record, with_recorded_widths
from nmt_lstm.training.run_report import RunReport
from nmt_lstm.training.summary import (
    FitResult,
    advice_after_divergence,
    say_choices,
    say_how_to_resume,
    say_text,
    show_summary,
)
from nmt_lstm.training.time_budget import plan_budget
from nmt_lstm.training.trainer import build_trainer

__all__ = ["FitResult", "fit"]

# Seconds in which each network considered is measured before a run, and the shortest run for which that pays.
MEASURED_SECONDS = 1.0
WORTH_MEASURING = 200


def fit(
    run: RunSettings,
    output: Path,
    *,
    resume: bool = False,
    console: Console | None = None,
    accept_changed_plugins: bool = False,
) -> FitResult:
    """Train the model of `run` and write its folder to `output`.

    The folder can be used from the first validation on: each new best model is written. In ``checkpoints/``,
    ``last.ckpt`` holds the whole state of the training and ``step-N.safetensors`` the best weights. A time limit
    counts everything from this call on, the sessions before a resume included.

    With several processes each of them calls this function: the first one starts the program again for the others,
    unless torchrun or srun have started them (see `nmt_lstm.training.launch`). All must see the same folders.

    Args:
        run: the settings.
        output: the model folder; it must be new, empty, or with `resume` one of an unfinished training. No other
            training can write into it meanwhile.
        resume: go on from ``last.ckpt``; without one the training starts from the beginning.
        console: where progress is shown; None is stderr.
        accept_changed_plugins: resume although plugin files are not those that the training run began with.

    Raises:
        ChangedPluginError: the plugin files of the training run to be resumed were changed.
        ConfigurationError: there is a training in `output` already, or one with other settings or more epochs.
        DivergenceError: the loss or its gradient is not a finite number; ``last.ckpt`` is from before.
        FolderInUseError: another process trains into `output`.
        LaunchError: a launcher has started a different number of processes.
        ModelFolderError: `output` is somebody else's, or its training is of another vocabulary or text.
        ResourceError: memory, disk or devices do not suffice, or another process of the training has ended.
        DataError: the text cannot be used.
        TrainingInterrupted: ctrl-C or SIGTERM; a checkpoint was left.
    """
    settings = run.training
    clock = Clock(parse_duration(settings.time_limit))
    devices = choose_devices(settings)
    launch = find_launch(devices.count, devices.nodes)
    ignore_stray(launch)
    display = ProgressDisplay((console or Console(stderr=True)) if launch.is_first else Console(quiet=True))
    with ExitStack() as stack:
        if launch.is_first:
            check_not_held(output)
            check_output(output, last_checkpoint(output), resume=resume)
        stack.enter_context(made_folder(output))
        if launch.is_first:
            stack.enter_context(held_by_this_run(output))
            # Once more: another training may just have ended here.
            check_output(output, last_checkpoint(output), resume=resume)
            remove_left_overs(output / "checkpoints", files="*")
            remove_left_overs(output, folders=WRITING)
        precision = resolve_precision(settings.precision, devices.device)
        if devices.accelerator == "cpu":
            bound_kernel_memory()
            keep_freed_memory()
        use_threads(devices)
        check_tokenizer(chosen_tokenizer(run.data.tokenize, run.data.target_language))
        going_on = resume and last_checkpoint(output).exists()
        run, held = with_validation_text(run, output, reuse=going_on)
        # A run that is resumed has its validation text; if this is not its text, nothing may be written.
        if held is not None and not going_on:
            display.say(held.describe())
            stack.enter_context(held.placed())
        prepared = prepare(run)
        stack.enter_context(explain_lost_process(launch))
        stack.enter_context(explain_out_of_memory(settings))
        return _train(
            run,
            output,
            resume=resume,
            prepared=prepared,
            clock=clock,
            display=display,
            devices=devices,
            launch=launch,
            precision=precision,
            accept_changed_plugins=accept_changed_plugins,
        )


def _train(
    run: RunSettings,
    output: Path,
    *,
    resume: bool,
    prepared: Prepared,
    clock: Clock,
    display: ProgressDisplay,
    devices: Devices,
    launch: Launch,
    precision: Precision,
    accept_changed_plugins: bool,
) -> FitResult:
    settings, asked = run.training, run.model
    checkpoint = last_checkpoint(output)
    with SignalWatch() as signals, quiet_lightning(), ExitStack() as stack:
        outlook: list[str] = []
        standing = Standing.read(checkpoint) if resume and checkpoint.exists() else None
        say_text(display, prepared)
        if standing is not None:
            run = with_recorded_widths(run, standing.record)
        else:
            run, outlook = _within_time(run, prepared, devices, precision, clock)
        record = run_record(run, prepared.subwords, prepared.fingerprint)
        if standing is not None:
            check_same_run(standing.record, record, path=str(checkpoint))
            if launch.is_first:
                check_plugins(run, output, standing.record, accept_changes=accept_changed_plugins)
            standing.check(run)
        data = TranslationDataModule.of_run(run, prepared)
        module = TranslationModule.of_run(run, prepared, total_steps=_total_steps(run, data))
        parameters = sum(weight.numel() for weight in module.parameters())
        clock.expect(
            # Greedy search and the loss take about as long as the three products of a training step.
            validation_steps=data.steps_per_epoch() * len(prepared.valid_target) / len(prepared.train),
            final_validations=final_validations(settings, run.search.beam_size),
            beam_factor=1.0 + 0.35 * (run.search.beam_size - settings.valid_beam_size),
        )
        writer = ModelWriter(run=run, folder=output, subwords=prepared.subwords, clock=clock)
        step = 0 if standing is None else standing.step
        control = RunControl(
            settings=settings,
            clock=clock,
            signals=signals,
            kept=KeptWeights.of_run(settings, checkpoint.parent),
            checkpoint=LastCheckpoint(
                checkpoint,
                saved_step=-1 if standing is None else step,
                proven=standing is not None and standing.validated,
            ),
            record=record,
            batches=data.validation_batches,
            precision=precision,
            write_model=writer.write,
            report=RunReport(
                display=display,
                clock=clock,
                settings=settings,
                sources=prepared.valid_source,
                references=prepared.valid_target,
            ),
        )
        if launch.is_first:
            begin_log(output, step)
        trainer = build_trainer(
            settings,
            output=output,
            devices=devices,
            environment=stack.enter_context(run_processes(launch)),
            precision=precision,
            step=step,
            callback=control,
        )
        for sentence in outlook:
            display.say(sentence)
        say_choices(display, run, devices, precision, parameters)
        if standing is not None:
            display.say(f"Resumed from {checkpoint}.")
        try:
            trainer.fit(
                module, datamodule=data, ckpt_path=None if standing is None else checkpoint, weights_only=True
            )
            chosen = _finish(trainer, module, control, run.search.beam_size)
        except TrainingInterrupted:
            display.stop()
            say_how_to_resume(display, checkpoint, trainer.global_step)
            raise
        except DivergenceError as problem:
            display.stop()
            if launch.is_first:
                control.checkpoint.take_back(problem.step)
            advice = advice_after_divergence(settings, checkpoint, problem)
            raise DivergenceError(
                problem.step, problem.learning_rate, what=problem.what, advice=advice
            ) from None
        except MisconfigurationException as problem:
            raise ConfigurationError(
                f"Lightning cannot train with these settings: {' '.join(str(problem).split())}"
            ) from problem
        if standing is not None and trainer.global_step == standing.step:
            display.say(
                f"Nothing was left to train: {control.reason}. To train longer, resume with a larger {control.ended_by}."
            )
        if chosen is None and control.kept.records:
            display.say("No time was left to compare weights; those of the best validation are taken.")
        if chosen is not None and trainer.is_global_zero:
            writer.write(chosen.state, chosen.result, run.search.beam_size, chosen.steps)
        trainer.strategy.barrier("the model is written")
    written = writer.written()
    validation = written["validation"]
    found = FitResult(
        folder=output,
        metrics={
            "loss": validation["loss"],
            "perplexity": validation["perplexity"],
            "bleu": validation["bleu"]["score"],
            "chrf": validation["chrf"]["score"],
        },
        signatures={name: validation[name]["signature"] for name in ("bleu", "chrf")},
        beam_size=validation["beam_size"],
        averaged_steps=written["weights_of_steps"],
        steps=trainer.global_step,
        # Lightning counts an epoch that was cut short as a whole one; a training that was at its end begins none.
        epochs=module.epochs_begun or (0 if standing is None else standing.epochs_begun),
        planned_epochs=settings.epochs,
        out_of_time=control.out_of_time,
        time_limit=clock.limit,
        narrowed=run.model != asked,
        seconds=clock.elapsed(),
        reason=control.reason,
        diagnosis=diagnose(
            control.curve,
            bleu=validation["bleu"]["score"],
            pairs=len(prepared.train),
            out_of_time=control.out_of_time,
        ),
        parameters=parameters,
    )
    if trainer.is_global_zero:
        show_summary(display.console, found)
    return found


def _within_time(
    run: RunSettings, prepared: Prepared, devices: Devices, precision: Precision, clock: Clock
) -> tuple[RunSettings, list[str]]:
    """Return the run as this machine can do it in its time, and what there is to say about that.

    Several processes would have to agree on what each of them measured, so they train what was asked for.
    """
    steps = _total_steps(run, TranslationDataModule.of_run(run, prepared))
    if devices.world_size > 1 or steps < WORTH_MEASURING:
        return run, []

    def pace(candidate: RunSettings) -> Pace:
        return measure_pace(candidate, prepared, devices.device, precision, seconds=MEASURED_SECONDS)

    budget = plan_budget(run, pace, spent=clock.elapsed)
    return budget.run, budget.sentences


def _total_steps(run: RunSettings, data: TranslationDataModule) -> int:
    steps = run.training.epochs * data.steps_per_epoch()
    return min(steps, run.training.max_steps) if run.training.max_steps else steps


def _finish(
    trainer: pl.Trainer, module: TranslationModule, control: RunControl, beam_size: int
) -> Chosen | None:
    """Validate the last weights if that has not been done, and choose those that become the model.

    None means that there was no time left to compare, so that the best single weights, already written, remain.
    """
    module.to(trainer.strategy.root_device)  # Lightning has moved it away
    if control.validated_step != trainer.global_step and not control.skips_validation():
        control.validate(trainer, module)
    trainer.strategy.barrier("kept weights are written")
    device = trainer.strategy.root_device
    chosen = choose_final(
        module,
        control.kept,
        beam_size=beam_size,
        validate=control.translate,
        has_time=lambda: control.has_time_to_validate(device),
    )
    if control.signals.received:
        raise TrainingInterrupted(control.signals.received)
    return chosen
