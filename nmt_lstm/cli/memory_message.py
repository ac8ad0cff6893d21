"""What a command says when memory ran out: the limit that was reached, and its own options that need less."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from nmt_lstm.numerics.out_of_memory import is_loading, memory_limit, where_memory_ran_out

__all__ = ["memory_message"]

_OPTIONS = ("--batch-size", "--beam-size")
_TRAINING = ("train", "compare", "quickstart")


def memory_message(problem: BaseException, arguments: Sequence[str], app: typer.Typer) -> str:
    """Return one line for an error for which `is_out_of_memory` is true.

    Args:
        problem: the error.
        arguments: of the program; the first one is the command.
        app: the program, whose commands know their options.
    """
    where = where_memory_ran_out(problem)
    limit = memory_limit() if where == "this machine" else None
    if is_loading(problem):
        # No option helps: nothing has been read or computed yet.
        remedies, purpose = [], " to load nmt-lstm"
    else:
        remedies, purpose = _remedies(arguments[0] if arguments else "", app), ""
    reached = ""
    if limit is not None:
        reached = f": the limit of this process is {limit >> 20:,} MiB"
        remedies.insert(0, "raise it with ulimit -v")
    remedies = remedies or ["close other programs"]
    return f"not enough memory on {where}{purpose}{reached}; {', or '.join(remedies)}."


def _remedies(name: str, app: typer.Typer) -> list[str]:
    """Return what lowers the memory that a command needs."""
    if name in _TRAINING:
        return ["lower training.batch_pieces"]
    command = getattr(typer.main.get_command(app), "commands", {}).get(name)
    known = {option for parameter in getattr(command, "params", ()) for option in parameter.opts}
    options = [option for option in _OPTIONS if option in known]
    return [f"lower {' or '.join(options)}"] if options else []
