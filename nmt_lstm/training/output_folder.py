"""The folder that a run writes to: whether it may, that no other run does at the same time, and how to resume there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from nmt_lstm.checkpoint.folder_files import LOCK, WRITING, check_output_folder
from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.errors import ConfigurationError, FolderInUseError, ResourceError
from nmt_lstm.files.lock import HeldError, check_free, lock_file

__all__ = [
    "check_not_held",
    "check_output",
    "check_task",
    "checkpoint_path",
    "created_folder",
    "folder_for_copies",
    "has_checkpoint",
    "held_by_this_run",
    "previous_checkpoint_path",
    "resume_command",
]


def checkpoint_path(output: Path) -> Path:
    """Return where the complete state of a run is saved."""
    return output / "checkpoints" / "last.ckpt"


def previous_checkpoint_path(newest: Path) -> Path:
    """Return where the state before the one at `newest` is kept, in case that the newest file is damaged."""
    return newest.with_name(f"before-{newest.name}")


def has_checkpoint(output: Path) -> bool:
    """Whether a run has saved its state in `output`, so that it can be resumed."""
    newest = checkpoint_path(output)
    return newest.exists() or previous_checkpoint_path(newest).exists()


def check_output(output: Path, *, resume: bool) -> None:
    """Raise an error unless a run may write to `output`.

    Raises:
        ModelFolderError: it contains files that nmt-lstm did not write.
        ConfigurationError: it contains a run, and `resume` is false.
    """
    check_output_folder(output)
    if not resume and (has_checkpoint(output) or (output / MANIFEST).exists()):
        raise ConfigurationError(
            f"'{output}' already contains a training run; continue it with --resume, or choose a different folder "
            f"with -o."
        )


def check_task(output: Path, task: TaskName) -> None:
    """Check that the model that a run has written, if any, is for the task with which it is resumed.

    Raises:
        ConfigurationError: it is for a different task.
        ModelFolderError: the manifest cannot be read.
    """
    before = Manifest.read(output).task if (output / MANIFEST).exists() else task
    if before != task:
        known = TASKS.get(before)  # type: ignore[call-overload]  # a later version may have others
        raise ConfigurationError(
            f"the training run in '{output}' is that of {known.model if known else before}; resume it with --task "
            f"{before}, or choose a different folder with -o.",
            key="task",
            value=task,
        )


def check_not_held(folder: Path) -> None:
    """Raise an error if a process holds the folder; to hold it, call `held_by_this_run`.

    Raises:
        FolderInUseError: a process holds it.
    """
    try:
        check_free(folder / LOCK)
    except HeldError as held:
        raise FolderInUseError(folder, held.process) from None


@contextmanager
def held_by_this_run(folder: Path) -> Iterator[None]:
    """Context manager that holds an existing folder; only the first process of a run needs to.

    On a file system without locks the folder is not protected.

    Raises:
        FolderInUseError: another process holds it.
        ResourceError: the lock cannot be created.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_file(folder / LOCK))
        except HeldError as held:
            raise FolderInUseError(folder, held.process) from None
        except OSError as problem:
            raise ResourceError(
                f"cannot write into the output folder '{folder}' ({problem.strerror}); choose a different one with -o."
            ) from problem
        yield


@contextmanager
def created_folder(output: Path) -> Iterator[None]:
    """Create the folder, and remove it if nothing is written there: the run failed, or its first machine has its own.

    Raises:
        ResourceError: it cannot be created.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ResourceError(
            f"cannot create the output folder '{output}' ({problem.strerror}); choose a different one with -o."
        ) from problem
    try:
        yield
    finally:
        with suppress(OSError):  # not empty: something was written
            output.rmdir()


@contextmanager
def folder_for_copies(output: Path, machine: int) -> Iterator[Path]:
    """Context manager for the folder in which a machine puts a copy of the first one's checkpoint; removed at the end.

    A copy must not stay in the place of the machine's own checkpoints: a run that is later started with this machine as
    the first one would continue from it, although newer ones exist elsewhere.

    Args:
        output: folder of the run.
        machine: number of the machine.
    """
    copies = output / f".{WRITING}-node-{machine}"
    try:
        yield copies
    finally:
        rmtree(copies, ignore_errors=True)


def resume_command(
    arguments: list[str], *, time_limit: str = "", settings: Mapping[str, str] | None = None, option: str = ""
) -> str:
    """Return a command line with --resume added.

    Args:
        arguments: the command line as it was typed.
        time_limit: takes the place of its own if not empty.
        settings: values of --set; each takes the place of all earlier values of its key.
        option: to add besides.
    """
    program = Path(arguments[0]).name if arguments else "nmt-lstm"
    if program == "__main__.py":
        program = "python -m nmt_lstm"
    settings = settings or {}
    # --set has precedence over --time-limit, so an old value there would undo the new one.
    replaced = {*settings, *(["training.time_limit"] if time_limit else [])}
    words, files = [], []
    remaining = iter(arguments[1:])
    for word in remaining:
        name, equals, value = word.partition("=")
        if word == "--":  # whatever follows is no option, so options are added before it
            files = [word, *remaining]
        elif name == "--set":
            value = value if equals else next(remaining, "")
            if value.partition("=")[0].strip() not in replaced:
                words += [word] if equals else [word, value]
        elif time_limit and name == "--time-limit":
            if not equals:
                next(remaining, None)
        elif word not in ("--resume", option):
            words.append(word)
    words += ["--resume", *([option] if option else [])]
    words += ["--time-limit", time_limit] if time_limit else []
    words += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return f"{program} {shlex.join([*words, *files])}"
