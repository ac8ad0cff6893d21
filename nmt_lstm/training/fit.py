"""The whole training of one run: prepare, assemble, train, choose the final weights, write the model folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from rich.console import Console

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError, DivergenceError
from nmt_lstm.evaluation.scores import chosen_tokenizer
from nmt_lstm.text.held_out import with_validation_text
from nmt_lstm.text.preparation import prepare_text
from nmt_lstm.training.assembly import Assembly, assemble
from nmt_lstm.training.csv_log import begin_log
from nmt_lstm.training.finish import choose, publish
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.memory_limits import explain_out_of_memory
from nmt_lstm.training.processes import explain_lost_process, run_processes
from nmt_lstm.training.session import open_session
from nmt_lstm.training.summary import FitResult, advice_after_divergence, say_how_to_resume
from nmt_lstm.training.trainer import build_trainer, quiet_lightning

__all__ = ["FitResult", "fit"]


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
        resume: continue from ``last.ckpt``; without one the training starts from the beginning.
        console: where progress is shown; None is stderr.
        accept_changed_plugins: resume even if plugin files have changed since the run began.

    Raises:
        ChangedPluginError: the plugin files of the training run to be resumed were changed.
        ConfigurationError: there is a training in `output` already, or one with other settings or more epochs.
        DivergenceError: the loss or its gradient is not a finite number; ``last.ckpt`` still holds the state before that.
        FolderInUseError: another process trains into `output`.
        LaunchError: a launcher has started a different number of processes.
        ModelFolderError: `output` holds unrelated files, or its run used a different vocabulary or text.
        ResourceError: memory, disk or devices do not suffice, or another process of the training has ended.
        DataError: the text cannot be used.
        TrainingInterrupted: ctrl-C or SIGTERM; a checkpoint was left.
    """
    with open_session(run.training, output, resume=resume, console=console) as session, ExitStack() as stack:
        chosen_tokenizer(run.data.tokenize, run.data.target_language)  # refused before hours of preparation
        continues = resume and session.checkpoint.exists()
        run, held = with_validation_text(run, output, reuse=continues)
        # A resumed run has its validation text already. Nothing may be written: if this text differs, the run is refused.
        if held is not None and not continues:
            session.display.say(held.describe())
            stack.enter_context(held.placed())
        prepared = prepare_text(run.data, run.subwords)
        with (
            explain_lost_process(session.launch),
            explain_out_of_memory(run.training),
            session.signals,
            quiet_lightning(),
        ):
            assembly = assemble(run, prepared, session, accept_changed_plugins=accept_changed_plugins)
            if session.launch.is_first:
                begin_log(output, assembly.first_step)
            with run_processes(session.launch) as environment:
                trainer = build_trainer(
                    assembly.settings,
                    session,
                    environment,
                    callback=assembly.control,
                    first_step=assembly.first_step,
                )
                with _explain_early_end(trainer, assembly):
                    trainer.fit(
                        assembly.module,
                        datamodule=assembly.data,
                        ckpt_path=None if assembly.standing is None else session.checkpoint,
                        weights_only=True,
                    )
                    chosen = choose(trainer, assembly)
                return publish(trainer, assembly, chosen)


@contextmanager
def _explain_early_end(trainer: pl.Trainer, assembly: Assembly) -> Iterator[None]:
    """Say how to continue a training that is interrupted, diverges or cannot begin."""
    session = assembly.session
    try:
        yield
    except TrainingInterrupted:
        session.display.stop()
        say_how_to_resume(session.display, session.checkpoint, trainer.global_step)
        raise
    except DivergenceError as problem:
        session.display.stop()
        if session.launch.is_first:
            assembly.control.checkpoint.take_back(problem.step)
        advice = advice_after_divergence(assembly.settings, session.checkpoint, problem)
        raise DivergenceError(problem.step, problem.learning_rate, what=problem.what, advice=advice) from None
    except MisconfigurationException as problem:
        raise ConfigurationError(
            f"Lightning cannot train with these settings: {' '.join(str(problem).split())}"
        ) from problem
