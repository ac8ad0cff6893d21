"""The exceptions of nmt-lstm; each message says what was wrong, what was seen, what is allowed and what to do.

::

    NmtLstmError                 anything below; the command line prints its message and exits with `exit_status`
    ├── ConfigurationError       a run file, an override or an option is wrong
    │   └── ChangedPluginError   a training run cannot be resumed, because a plugin of it has changed
    ├── DataError                a corpus, a line or a prepared store is missing, unreadable or inconsistent
    │   └── NotTextError         a line given to a translator is not a string
    ├── PluginError              a cell or an attention cannot be found, loaded or built
    │   ├── AuthorError          the author's code does not meet the contract of its base class
    │   │   ├── MissingMethodError  a method is missing
    │   │   └── PluginResultError   a method returned what it must not return
    │   └── UntrustedPluginError a model folder names a class that no installed package provides
    ├── ModelFolderError         a model folder is missing, incomplete, changed or of another kind
    └── ResourceError            the machine cannot do it: memory, disk, devices
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "AuthorError",
    "ChangedPluginError",
    "ConfigurationError",
    "DataError",
    "MissingMethodError",
    "ModelFolderError",
    "NmtLstmError",
    "NotTextError",
    "PluginError",
    "PluginResultError",
    "ResourceError",
    "UntrustedPluginError",
    "nearest",
]


class NmtLstmError(Exception):
    """Base of every error that a user can cause and fix."""

    exit_status = 1


class ConfigurationError(NmtLstmError):
    """A run file, an override or a command-line option is wrong."""

    exit_status = 2


class DataError(NmtLstmError):
    """A corpus, a line of it or a prepared store cannot be used."""


class NotTextError(DataError):
    """A line given to a translator is not a string.

    Args:
        number: the line's number, from 1 where the caller does not count otherwise.
        value: what was given.
    """

    def __init__(self, number: int, value: object) -> None:
        self.number = number
        self.value = value
        shown = "None" if value is None else f"a value of type {type(value).__name__}"
        advice = "decode it, for example by .decode('utf-8')" if isinstance(value, bytes) else "give a str"
        super().__init__(f"line {number} is {shown}, not text; {advice}.")

    def __reduce__(self) -> tuple[type[NotTextError], tuple[int, object]]:
        """Pickle what it was made from, so that it can leave a worker process."""
        return type(self), (self.number, self.value)


class PluginError(NmtLstmError):
    """A cell or an attention cannot be found, loaded or built."""


class AuthorError(PluginError, TypeError):
    """The code of a cell's or an attention's author does not meet the contract of its base class.

    Args:
        part: the cell or the attention.
        problem: with the class's or the method's name.
        defined: the class or the method, whose file and line the message names.
    """

    def __init__(self, part: object, problem: str, defined: Any) -> None:
        self.part = type(part).__name__
        self.file, self.line = _definition(defined)
        place = f" It is defined in '{self.file}', line {self.line}." if self.file else ""
        super().__init__(f"{problem}.{place} 'nmt-lstm plugins check' looks for what is wrong.")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the message and the attributes, so that it can leave a worker process: the part may not."""
        return _restored, (type(self), str(self), self.__dict__)


class PluginResultError(AuthorError):
    """A method of a cell or an attention returned an invalid value.

    Args:
        part: the cell or the attention.
        method: the name of the method.
        problem: what it returned, and what is expected.
    """

    def __init__(self, part: object, method: str, problem: str) -> None:
        self.method = method
        name = f"{type(part).__name__}.{method}"
        super().__init__(part, f"{name} returned {problem}", getattr(type(part), method, None))


class MissingMethodError(AuthorError):
    """A class lacks a method that its base calls, which its author must write.

    Args:
        part: the cell or the attention.
        problem: which method, as "does not define update(x, h, state)".
    """

    def __init__(self, part: object, problem: str) -> None:
        super().__init__(part, f"{type(part).__name__} {problem}", type(part))


def _restored(kind: type[AuthorError], message: str, attributes: dict[str, Any]) -> AuthorError:
    problem = kind.__new__(kind, message)
    problem.__dict__.update(attributes)
    return problem


def _definition(defined: Any) -> tuple[str, int]:
    """Return the file and the line in which a class or a function is defined; an empty name where there is no file."""
    try:
        return inspect.getsourcefile(defined) or "", inspect.getsourcelines(defined)[1]
    except (OSError, TypeError):  # of a notebook, or not a function of Python
        return "", 0


class UntrustedPluginError(PluginError):
    """A model folder names a class that no installed distribution provides.

    Args:
        message: for the user.
        target: ``package.module:Class``.
        file: from which Python would import it; None if there is none.
    """

    def __init__(self, message: str, *, target: str = "", file: Path | None = None) -> None:
        super().__init__(message)
        self.target = target
        self.file = file


class ChangedPluginError(ConfigurationError):
    """A plugin is not the one that a training run began with.

    Args:
        message: for the user.
        names: of the cells and attentions.
        differences: what is different, one for each name.
    """

    def __init__(self, message: str, *, names: Sequence[str] = (), differences: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)
        self.differences = tuple(differences)


class ModelFolderError(NmtLstmError):
    """A model folder cannot be used."""


class ResourceError(NmtLstmError):
    """The machine lacks a resource that is needed: memory, disk, device or number format."""


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
