"""The folder a training writes to: whose it is, and whether a training stands there already."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nmt_lstm.checkpoint.folder_files import check_output_folder
from nmt_lstm.checkpoint.manifest import MANIFEST
from nmt_lstm.errors import ConfigurationError, ResourceError

__all__ = ["check_output", "last_checkpoint", "made_folder", "resume_command"]


def last_checkpoint(output: Path) -> Path:
    """Return where the whole state of a training is saved."""
    return output / "checkpoints" / "last.ckpt"


def check_output(output: Path, checkpoint: Path, *, resume: bool) -> None:
    """Refuse a folder that is not ours, or in which a training stands that nobody wants to resume.

    Raises:
        ModelFolderError: it holds files that nmt-lstm did not write.
        ConfigurationError: it holds a training, and `resume` is off.
    """
    check_output_folder(output)
    if not resume and (checkpoint.exists() or (output / MANIFEST).exists()):
        raise ConfigurationError(
            f"there is a training in '{output}' already; continue it with --resume, or choose a different folder with -o."
        )


@contextmanager
def made_folder(output: Path) -> Iterator[None]:
    """Make the folder, and take it away again if what follows fails before it has written anything there.

    Raises:
        ResourceError: it cannot be made.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ResourceError(
            f"cannot make the output folder '{output}' ({problem.strerror}); choose another with -o."
        ) from problem
    try:
        yield
    except BaseException:
        with suppress(OSError):  # not empty: something was written
            output.rmdir()
        raise


def resume_command(arguments: list[str], *, time_limit: str = "") -> str:
    """Return the command that was typed, with --resume, and with a time limit if one is given."""
    program = Path(arguments[0]).name if arguments else "nmt-lstm"
    if program == "__main__.py":
        program = "python -m nmt_lstm"
    words = []
    typed = iter(arguments[1:])
    for word in typed:
        if time_limit and word == "--time-limit":
            next(typed, None)
        elif word != "--resume" and not (time_limit and word.startswith("--time-limit=")):
            words.append(shlex.quote(word))
    return " ".join([program, *words, "--resume", *(["--time-limit", time_limit] if time_limit else [])])
