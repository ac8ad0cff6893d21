"""Checks that the folder of an experiment does not belong to another program."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.files.folders import foreign_names

__all__ = ["check_folder"]


def check_folder(folder: Path, marker: str, problem: str, *, allowed: Container[str] = ()) -> bool:
    """Return True for the folder of an earlier experiment, False for a new or empty one.

    Args:
        folder: the folder for the results.
        marker: name of the file that identifies the folder of an experiment.
        problem: what is wrong with any other folder, for the message.
        allowed: names of files that may exist before the first experiment.

    Raises:
        ConfigurationError: the folder belongs to another program.
    """
    if (folder / marker).exists():
        return True
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"'{folder}' is a file; choose a different folder with -o.", path=folder)
    if strangers := foreign_names(folder, lambda name: name in allowed):
        raise ConfigurationError(
            f"'{folder}' exists and {problem} ({strangers}); choose a different folder with -o, or empty it.",
            path=folder,
        )
    return False
