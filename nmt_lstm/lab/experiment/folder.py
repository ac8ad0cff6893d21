"""Whose a folder is that an experiment is told to write into."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.files.folders import foreign_names

__all__ = ["check_folder"]


def check_folder(folder: Path, mark: str, kind: str, *, allowed: Container[str] = ()) -> bool:
    """Return whether an experiment has been in the folder; otherwise it is new or empty.

    Args:
        folder: where results shall go.
        mark: the file by which the experiment knows its own folders.
        kind: what such a folder is, for the message.
        allowed: names of what may stand there before the first experiment.

    Raises:
        ConfigurationError: it belongs to something else.
    """
    if (folder / mark).exists():
        return True
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"'{folder}' is a file; choose a different folder with -o.")
    if strangers := foreign_names(folder, lambda name: name in allowed):
        raise ConfigurationError(
            f"'{folder}' exists and {kind} ({strangers}); choose a different folder with -o, or empty it."
        )
    return False
