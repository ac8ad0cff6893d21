"""The program ``nmt-lstm``: its commands, and how errors become messages and exit statuses."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from nmt_lstm.cli import (
    api_keys,
    classify,
    compare,
    config,
    doctor,
    evaluate,
    export,
    forecast,
    generate,
    import_model,
    inspect,
    leaderboard,
    models,
    plugins,
    prepare,
    probe,
    quickstart,
    rescore,
    score,
    serve,
    train,
    translate,
)
from nmt_lstm.cli.help_sections import SectionedCommand
from nmt_lstm.cli.memory_message import memory_message
from nmt_lstm.cli.messages import show_log
from nmt_lstm.cli.standard_streams import discard_output, open_standard_streams, write_stderr
from nmt_lstm.cli.strict_options import CommandError, UsageError, make_strict
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.files.write_errors import is_write_error, write_remedy
from nmt_lstm.numerics.memory import restart_without_thread_cache
from nmt_lstm.numerics.out_of_memory import is_out_of_memory
from nmt_lstm.numerics.threads import sleep_while_waiting
from nmt_lstm.plain_text import printable
from nmt_lstm.training.launch import is_started_by_run

__all__ = ["app", "main"]

INTERRUPTED = 130  # 128 + SIGINT
CLOSED_PIPE = 141  # 128 + SIGPIPE, the status of other programs whose reader has closed the pipe

EPILOG = """\b
Start here:
  nmt-lstm quickstart
Your own text, one sentence per line:
  nmt-lstm train -s train.de -t train.en -o runs/de-en
  nmt-lstm translate -m runs/de-en < in.de > out.en
  nmt-lstm evaluate -m runs/de-en -s test.de -r test.en"""

app = typer.Typer(
    name="nmt-lstm",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
# Each module has the name of its command. The list of commands shows the first sentence of each docstring.
for module in (
    quickstart,
    prepare,
    train,
    translate,
    export,
    import_model,
    score,
    rescore,
    evaluate,
    generate,
    classify,
    forecast,
    compare,
    probe,
    inspect,
    serve,
    config,
    models,
    doctor,
):
    # "import" is a keyword of Python, so its module has a longer name.
    name = "import" if module is import_model else None
    app.command(name, cls=SectionedCommand, epilog=module.EPILOG)(
        getattr(module, module.__name__.rpartition(".")[2])
    )
app.add_typer(leaderboard.app, name="leaderboard", epilog=leaderboard.EPILOG)
app.add_typer(plugins.app, name="plugins", epilog=plugins.EPILOG)
app.add_typer(api_keys.app, name="api-keys", epilog=api_keys.EPILOG)


def _show_version(requested: bool) -> None:
    if requested:
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
    """Run the command line and return its exit status: 2 for errors of usage and configuration, 1 for all others.

    Args:
        arguments: those after the program's name; by default those of this process.
    """
    open_standard_streams()
    status = _run_safely(arguments)
    try:
        sys.stdout.flush()  # Python would flush at exit, when the status can no longer change
    except BrokenPipeError:
        discard_output()
        return status or CLOSED_PIPE
    except OSError as problem:
        discard_output()
        return status or _report(f"cannot write to stdout: {_reason(problem)}.", 1)
    return status


def _run_safely(arguments: Sequence[str] | None) -> int:
    """Run one command; turn any exception into an error message and an exit status."""
    try:
        if arguments is None and sys.argv[1:2] == ["train"]:
            restart_without_thread_cache()  # only training runs long enough for its heap to grow
        show_log(errors_only=is_started_by_run())
        sleep_while_waiting()
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except NmtLstmError as problem:
        return _report(str(problem), problem.exit_status)
    except KeyboardInterrupt:
        return _report_interruption()
    except BrokenPipeError:
        discard_output()
        return CLOSED_PIPE
    except Exception as problem:  # noqa: BLE001 - nothing above this function would report it
        if is_out_of_memory(problem):
            return _report(memory_message(problem, sys.argv[1:] if arguments is None else arguments, app), 1)
        if isinstance(problem, OSError):
            return _report(_system_message(problem), 1)
        if _is_interruption(problem):
            return _report_interruption()
        from nmt_lstm.registry import plugin_failure, plugin_suspicion

        if failure := plugin_failure(problem):
            return _report(failure, 1)
        traceback.print_exc()
        request = "this is a bug in nmt-lstm; please report it with the lines above."
        suspicion = plugin_suspicion()
        return _report(f"{suspicion} If that finds nothing, {request}" if suspicion else request, 1)


def _run(arguments: list[str]) -> int:
    """Parse and run one command without typer's own error handling."""
    command = typer.main.get_command(app)
    make_strict(command)
    try:
        with command.make_context("nmt-lstm", arguments) as context:
            command.invoke(context)
    except typer.Exit as problem:
        return int(problem.exit_code)
    except typer.Abort:
        return INTERRUPTED
    except CommandError as problem:
        return _report_usage(problem)
    return 0


def _is_interruption(problem: BaseException | None) -> bool:
    """Whether ctrl-C caused an exception: an interrupted import of a C extension raises ImportError instead."""
    while problem is not None:
        if isinstance(problem, KeyboardInterrupt):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _report_interruption() -> int:
    write_stderr("\nnmt-lstm: interrupted.\n")
    return INTERRUPTED


def _report_usage(problem: Any) -> int:
    context = problem.ctx if isinstance(problem, UsageError) else None
    if context is not None and type(problem).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(f"{context.get_help()}\n")
        return int(problem.exit_code)
    hint = f" See '{context.command_path} --help'." if context is not None else ""
    # pydantic, which typer asks, begins some of its sentences with the name of an exception.
    message = str(problem.format_message()).replace("Value error, ", "")
    period = "" if message.endswith((".", "?")) else "."
    return _report(f"{message}{period}{hint}", problem.exit_code)


def _report(message: str, status: int) -> int:
    write_stderr(printable(f"nmt-lstm: error: {message}") + "\n")
    return status


def _system_message(problem: OSError) -> str:
    path = f"'{problem.filename}': " if problem.filename else ""
    intact = ": files saved earlier are intact" if is_write_error(problem) else ""
    return f"{path}{_reason(problem)}{intact}."


def _reason(problem: OSError) -> str:
    advice = f"; {write_remedy(problem)}" if is_write_error(problem) else ""
    return f"{problem.strerror or problem}{advice}"
