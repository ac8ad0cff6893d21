"""The exceptions of nmt-lstm; each message says what was wrong, what was seen, what is allowed and what to do.

::

    NmtLstmError                 anything below; the command line prints its message and exits with `exit_status`
    ├── ConfigurationError       a run file, an override or an option is wrong
    ├── DataError                a corpus, a line or a prepared store is missing, unreadable or inconsistent
    ├── PluginError              a cell or an attention cannot be found, loaded or built
    ├── ModelFolderError         a model folder is missing, incomplete, changed or of another kind
    └── ResourceError            the machine cannot do it: memory, disk, devices
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ConfigurationError",
    "DataError",
    "ModelFolderError",
    "NmtLstmError",
    "PluginError",
    "ResourceError",
    "nearest",
]


class NmtLstmError(Exception):
    """Base of every error that a user can cause and mend."""

    exit_status = 1


class ConfigurationError(NmtLstmError):
    """A run file, an override or a command-line option is wrong."""

    exit_status = 2


class DataError(NmtLstmError):
    """A corpus, a line of it or a prepared store cannot be used."""


class PluginError(NmtLstmError):
    """A cell or an attention cannot be found, loaded or built."""


class ModelFolderError(NmtLstmError):
    """A model folder cannot be used."""


class ResourceError(NmtLstmError):
    """The machine lacks what was asked of it."""


# Two letters exchanged in a word of three have 0.67, unrelated words of the same length seldom more than 0.6.
LIKENESS = 0.65
_LONGEST_NAME = 200


def nearest(name: str, known: Iterable[str], *, likeness: float = LIKENESS) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name closest to `name`, or an empty string.

    Args:
        name: what was given.
        known: what would be right.
        likeness: ratio of `difflib` from which on a known name is offered; 0 offers the closest of them in any case.
    """
    if len(name) > _LONGEST_NAME:  # no slip of the pen, and comparing it would take long
        return ""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f" Did you mean '{close[0]}'?" if close else ""
