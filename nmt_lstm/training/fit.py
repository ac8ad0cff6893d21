"""A complete training run: prepare, assemble, train, select the final weights, write the model folder."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from rich.console import Console

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.config.tasks import TASKS, part_of
from nmt_lstm.corpora.builtin import with_builtin_pieces
from nmt_lstm.errors import ConfigurationError, DivergenceError, NmtLstmError
from nmt_lstm.evaluation.scores import chosen_tokenizer
from nmt_lstm.text.held_out import with_validation_text
from nmt_lstm.text.preparation import check_vocabulary
from nmt_lstm.training.agreement import check_agreement
from nmt_lstm.training.assembly import Assembly, assemble
from nmt_lstm.training.callbacks import failure_in
from nmt_lstm.training.csv_log import logs_of, start_log
from nmt_lstm.training.devices import explain_out_of_memory
from nmt_lstm.training.failed_steps import reports_in
from nmt_lstm.training.fit_result import FitResult
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.loggers import build_loggers, start_loggers
from nmt_lstm.training.model_selection import publish, select_weights
from nmt_lstm.training.output_folder import check_task, has_checkpoint
from nmt_lstm.training.processes import RunEnvironment, explain_lost_process, run_processes
from nmt_lstm.training.reporting import advice_after_divergence, report_interruption, with_advice
from nmt_lstm.training.returning import return_to_checkpoint
from nmt_lstm.training.run_checks import check_run
from nmt_lstm.training.run_context import RunContext, open_run
from nmt_lstm.training.trainer import build_trainer, silence_lightning

__all__ = ["FitResult", "fit"]


def fit(
    run: RunSettings,
    output: Path,
    *,
    resume: bool = False,
    console: Console | None = None,
    accept_changed_plugins: bool = False,
    callbacks: Sequence[pl.Callback] = (),
    loggers: Sequence[Logger] = (),
) -> FitResult:
    """Train the model of `run` and write its folder to `output`.

    The folder can be used from the first validation on: each new best model is written. In ``checkpoints/``,
    ``last.ckpt`` contains the complete state of the run, and ``step-N.safetensors`` the best weights. A time limit
    counts everything from the start of this function, and the time before a resume.

    With several processes, each of them calls this function: the first one starts the program again for the others,
    unless torchrun or srun has started them (see `nmt_lstm.training.launch`). All must see the same folders.

    Args:
        run: the settings.
        output: the model folder: new or empty, or with `resume` that of an earlier run. It is locked meanwhile.
        resume: continue from ``last.ckpt``; if there is none, training starts from the beginning.
        console: where progress is shown; by default stderr.
        accept_changed_plugins: resume even if plugin files have changed since the run began.
        callbacks: Lightning callbacks, in addition to those of ``training.callbacks``.
        loggers: Lightning loggers, in addition to those of ``training.loggers``; only those of the first process log, and
            one that fails during training is switched off with a warning.

    Raises:
        CallbackError: a callback raised an exception.
        ChangedPluginError: the plugin files of the run to be resumed were changed.
        ConfigurationError: `output` already contains a run and `resume` is false, or the run to be resumed has different
            settings, or more epochs or steps are done than its settings allow.
        DataError: the text cannot be used.
        DivergenceError: the loss or its gradient is not finite, and ``training.on_divergence`` ends the run; ``last.ckpt``
            still contains an earlier state.
        FolderInUseError: another process is training into `output`.
        LaunchError: a launcher started a different number of processes.
        ModelFolderError: `output` contains unrelated files, or its run used a different vocabulary or text.
        ResourceError: memory, disk or devices do not suffice, or another process of the run has ended.
        TrainingInterrupted: ctrl-C or SIGTERM; a checkpoint was saved.
    """
    with open_run(run.training, output, resume=resume, console=console) as context, ExitStack() as stack:
        chosen_tokenizer(
            run.data.tokenize, run.data.target_language
        )  # raises for unknown names, before hours of preparation
        continues = resume and has_checkpoint(output)
        if continues:
            check_task(output, run.task)
        own_callbacks = check_run(
            run.training, run.search, task=run.task, model=run.model, continues=continues, callbacks=callbacks
        )
        task, held = TASKS[run.task], None
        if task.is_text:
            check_vocabulary(run.data, with_builtin_pieces(run).subwords)
            run, held = with_validation_text(run, output, reuse=continues)
        # A resumed run has its validation text already, and must not overwrite it: if the text differs, resuming fails.
        if held is not None and not continues:
            context.display.say(held.describe())
            stack.enter_context(held.files())
        prepared = part_of(task.preparation)(with_builtin_pieces(run))
        with (
            explain_lost_process(context.launch, context.peers),
            explain_out_of_memory(run.training),
            logs_of(output),
            context.signals,
            silence_lightning(),
        ):
            assembly = assemble(run, prepared, context, accept_changed_plugins=accept_changed_plugins)
            logs = _start_logs(assembly, loggers)
            with run_processes(context.launch) as environment:
                if context.launch.starts_others:
                    context.peers.join(environment.launch, environment.own)
                _check_agreement(assembly)
                while True:
                    result = _train(assembly, environment, callbacks=own_callbacks, loggers=logs)
                    if isinstance(result, FitResult):
                        return result
                    # Before the next network is built: the memory may not have room for both.
                    data = assembly.data
                    del assembly
                    gc.collect()
                    assembly = assemble(
                        run, prepared, result, accept_changed_plugins=accept_changed_plugins, data=data
                    )
                    _check_agreement(assembly)
                    logs = _start_logs(assembly, loggers)


def _check_agreement(assembly: Assembly) -> None:
    subwords = assembly.prepared.subwords
    check_agreement(
        assembly.run,
        assembly.context.peers,
        text=assembly.prepared.fingerprint,
        vocabulary={"source": subwords.source.fingerprint, "target": subwords.target.fingerprint},
        step=assembly.first_step,
    )


def _start_logs(assembly: Assembly, others: Sequence[Logger]) -> list[Logger]:
    """Return the loggers of a run, whose logs continue after its last checkpoint."""
    context, point = assembly.context, assembly.resume_point
    is_first, step = context.launch.is_first, assembly.first_step
    logs = build_loggers(assembly.settings, context.output, step, is_first=is_first, others=others)
    if is_first:
        if point is None:
            for report in reports_in(
                context.output / "logs"
            ):  # of a run that failed before it saved anything
                report.unlink()
        digests = None if point is None else point.logs
        start_log(context.output, step, validated=point is None or point.validated, digests=digests)
        settings = assembly.run.model_dump(mode="json")
        start_loggers(logs, context.output, settings, resumes=bool(step))
    return logs


def _train(
    assembly: Assembly,
    environment: RunEnvironment,
    *,
    callbacks: Sequence[pl.Callback],
    loggers: Sequence[Logger],
) -> FitResult | RunContext:
    """Train to the end, and return the result, or the context in which a run that has diverged is to be resumed."""
    context = assembly.context
    trainer = build_trainer(
        assembly.settings,
        context,
        environment,
        # The run's own callbacks follow, because checkpoints contain the state of all.
        callbacks=[*callbacks, *assembly.callbacks],
        loggers=loggers,
        streamed=assembly.streamed,
    )
    try:
        with _explain_failure(trainer, assembly, callbacks):
            trainer.fit(
                assembly.module,
                datamodule=assembly.data,
                ckpt_path=None if assembly.resume_point is None else assembly.resume_point.path,
                weights_only=True,
            )
            selected = select_weights(trainer, assembly)
    except DivergenceError as problem:
        context.display.stop()
        returned = return_to_checkpoint(assembly, problem, trainer.strategy.root_device)
        if returned is not None:
            return returned
        if context.launch.is_first:
            assembly.callback.checkpoint.roll_back(problem.step)
        advice = advice_after_divergence(assembly.settings, context.output, problem, assembly.module.guard)
        raise with_advice(problem, advice) from None
    return publish(trainer, assembly, selected)


@contextmanager
def _explain_failure(
    trainer: pl.Trainer, assembly: Assembly, callbacks: Sequence[pl.Callback]
) -> Iterator[None]:
    """Context manager that says how to continue a run that is interrupted or cannot start."""
    context = assembly.context
    try:
        yield
    except TrainingInterrupted:
        context.display.stop()
        report_interruption(context.display, context.checkpoint_path, trainer.global_step)
        raise
    except NmtLstmError:
        raise
    except MisconfigurationException as problem:
        raise ConfigurationError(
            f"Lightning cannot train with these settings: {' '.join(str(problem).split())}"
        ) from problem
    except Exception as problem:
        failure = failure_in(callbacks, problem)
        if failure is None:
            raise
        raise failure from problem
