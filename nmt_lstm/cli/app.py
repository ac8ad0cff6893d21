"""The command ``nmt-lstm``: its commands, and what it does with errors."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from nmt_lstm.cli import (
    compare,
    config,
    doctor,
    evaluate,
    export,
    inspect,
    leaderboard,
    models,
    plugins,
    prepare,
    probe,
    quickstart,
    score,
    train,
    translate,
)
from nmt_lstm.cli.messages import show_log
from nmt_lstm.cli.standard_streams import discard_output, open_standard_streams, write_stderr
from nmt_lstm.cli.strict_options import UsageError, make_strict
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.numerics.memory import restart_without_thread_cache
from nmt_lstm.numerics.out_of_memory import is_out_of_memory, where_memory_ran_out
from nmt_lstm.numerics.threads import sleep_while_waiting
from nmt_lstm.plain_text import printable
from nmt_lstm.registry import plugin_failure, plugin_suspicion
from nmt_lstm.training.launch import is_started_by_run

__all__ = ["app", "main"]

INTERRUPTED = 130
CLOSED_PIPE = 141
# typer's own name for it moved between its versions; its subclass has not.
CommandError: Any = typer.BadParameter.__mro__[2]

EXAMPLES = """\b
Start here:
  nmt-lstm quickstart
Your own text, one sentence per line:
  nmt-lstm train -s train.de -t train.en -o runs/de-en
  nmt-lstm translate -m runs/de-en < in.de > out.en
  nmt-lstm evaluate -m runs/de-en -s test.de -r test.en"""

app = typer.Typer(
    name="nmt-lstm",
    help="Neural machine translation with recurrent networks: train, translate, evaluate.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command(
    "quickstart",
    epilog=quickstart.EXAMPLE,
    short_help="Train on built-in text and see translations, in 3 minutes.",
)(quickstart.quickstart)
app.command("prepare", epilog=prepare.EXAMPLE, short_help="Cut the training text into pieces, once.")(
    prepare.prepare
)
app.command("train", epilog=train.EXAMPLE, short_help="Train a translator and write it into a folder.")(
    train.train
)
app.command("translate", epilog=translate.EXAMPLE, short_help="Translate text, line by line.")(
    translate.translate
)
app.command("export", epilog=export.EXAMPLE, short_help="Make a model small and fast for a processor.")(
    export.export
)
app.command("score", epilog=score.EXAMPLE, short_help="Log probability of given translations.")(score.score)
app.command("evaluate", epilog=evaluate.EXAMPLE, short_help="BLEU, chrF and TER against references.")(
    evaluate.evaluate
)
app.command("compare", epilog=compare.EXAMPLE, short_help="Which cell is better? Train, compare, report.")(
    compare.compare
)
app.command("probe", epilog=probe.EXAMPLE, short_help="What does a cell remember, and how long?")(probe.probe)
app.command("inspect", epilog=inspect.EXAMPLE, short_help="See gates, memory and attention of a sentence.")(
    inspect.inspect
)
app.command("config", epilog=config.EXAMPLE, short_help="Print all settings as a run file.")(config.config)
app.command("models", epilog=models.EXAMPLE, short_help="List the trained models that come with it.")(
    models.models
)
app.command("doctor", epilog=doctor.EXAMPLE, short_help="Show versions, devices and what is missing.")(
    doctor.doctor
)
app.add_typer(leaderboard.app, name="leaderboard", epilog=leaderboard.EXAMPLE)
app.add_typer(
    plugins.app,
    name="plugins",
    epilog=plugins.EXAMPLE,
    short_help="List cells and attentions; show, check or begin one.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from nmt_lstm import __version__

        sys.stdout.write(f"nmt-lstm {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Neural machine translation with recurrent networks: train, translate, evaluate."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 2 for usage and configuration, 1 for other errors."""
    open_standard_streams()
    status = _guarded(arguments)
    try:
        sys.stdout.flush()  # at exit it would be too late for the status
    except BrokenPipeError:
        discard_output()
        return status or CLOSED_PIPE
    except OSError as problem:
        discard_output()
        return status or _refuse(f"stdout cannot be written: {problem.strerror or problem}.", 1)
    return status


def _guarded(arguments: Sequence[str] | None) -> int:
    """Run one command, and make one line and an exit status of whatever stops it."""
    try:
        if arguments is None and sys.argv[1:2] == ["train"]:
            restart_without_thread_cache()  # only training runs for so long that its heap would grow
        show_log(errors_only=is_started_by_run())
        sleep_while_waiting()
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except NmtLstmError as problem:
        return _refuse(str(problem), problem.exit_status)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        discard_output()
        return CLOSED_PIPE
    except Exception as problem:  # noqa: BLE001 - the last door: whatever it is, say so
        if is_out_of_memory(problem):
            place = where_memory_ran_out(problem)
            return _refuse(
                f"not enough memory on {place}; lower --batch-size or --beam-size, or training.batch_pieces.",
                1,
            )
        if isinstance(problem, OSError):
            return _refuse(_system_message(problem), 1)
        if _is_interruption(problem):
            return _interrupted()
        if failure := plugin_failure(problem):
            return _refuse(failure, 1)
        traceback.print_exc()
        report = "this is a mistake in nmt-lstm; please report it with the lines above."
        suspicion = plugin_suspicion()
        return _refuse(f"{suspicion} If that finds nothing, {report}" if suspicion else report, 1)


def _run(arguments: list[str]) -> int:
    """Parse and run one command, without the error handling that typer would put around it."""
    command = typer.main.get_command(app)
    make_strict(command)
    try:
        with command.make_context("nmt-lstm", arguments) as context:
            command.invoke(context)
    except typer.Exit as finished:
        return int(finished.exit_code)
    except typer.Abort:
        return INTERRUPTED
    except CommandError as problem:
        return _refuse_usage(problem)
    return 0


def _is_interruption(problem: BaseException | None) -> bool:
    """Whether ctrl-C is behind an exception: while C extensions are imported it comes as an ImportError."""
    while problem is not None:
        if isinstance(problem, KeyboardInterrupt):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _interrupted() -> int:
    write_stderr("\nnmt-lstm: interrupted.\n")
    return INTERRUPTED


def _refuse_usage(problem: Any) -> int:
    where = problem.ctx if isinstance(problem, UsageError) else None
    if where is not None and type(problem).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{where.get_help()}\n")
        return int(problem.exit_code)
    hint = f" See '{where.command_path} --help'." if where is not None else ""
    message = str(problem.format_message()).replace("Value error, ", "")
    end = "" if message.endswith((".", "?")) else "."
    return _refuse(f"{message}{end}{hint}", problem.exit_code)


def _refuse(message: str, status: int) -> int:
    write_stderr(printable(f"nmt-lstm: error: {message}") + "\n")
    return status


def _system_message(problem: OSError) -> str:
    place = f"'{problem.filename}': " if problem.filename else ""
    advice = "; free some space, nothing saved before was lost" if problem.errno == errno.ENOSPC else ""
    return f"{place}{problem.strerror or problem}{advice}."
