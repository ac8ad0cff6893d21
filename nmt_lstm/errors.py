"""The exceptions of nmt-lstm; each message says what is wrong, with its value, what is allowed and what to do.

::

    NmtLstmError                    base; the command line prints its message and exits with `exit_status`
    ├── ConfigurationError          a run file, an override or an option is wrong
    │   ├── ChangedPluginError      a training run cannot be resumed because one of its plugins has changed
    │   ├── LaunchError             a launcher started a different number of processes than the run asks for
    │   └── NothingLeftError        a training run to be resumed has already done what its settings allow
    ├── DataError                   a corpus, a line or a prepared store is missing, unreadable or inconsistent
    │   └── NotTextError            a line given to a translator is not a string
    ├── CallbackError               a callback of the user's run file raised an exception
    ├── DivergenceError             the loss or its gradient is no longer a finite number, or far too large
    ├── PluginError                 a cell, attention or encoder cannot be found, loaded or built
    │   ├── AuthorError             a class does not meet the contract of its base class; also a TypeError
    │   │   ├── MissingMethodError  a method is missing
    │   │   └── PluginResultError   a method returned an invalid value
    │   ├── WrongBaseError          a class is not derived from the base class of its kind
    │   └── UntrustedPluginError    a model folder names a class that no installed distribution provides
    ├── ModelFolderError            a model folder is missing, incomplete, modified or unsupported
    │   └── WrongTaskError          a model is for a different task than the command
    └── ResourceError               the machine lacks memory, disk space, a device or a number format
        ├── FolderInUseError        another process is training into the output folder
        └── LostProcessError        another process of a training run died, is stopped or cannot be reached

All of them can be pickled, so that they can leave a worker process. Those of importing models of other toolkits are in
`nmt_lstm.importing.errors`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nmt_lstm.likeness import LIKENESS, nearest

__all__ = [
    "LIKENESS",
    "AuthorError",
    "CallbackError",
    "ChangedPluginError",
    "ConfigurationError",
    "DataError",
    "DivergenceError",
    "FolderInUseError",
    "LaunchError",
    "LostProcessError",
    "MissingMethodError",
    "ModelFolderError",
    "NmtLstmError",
    "NotTextError",
    "NothingLeftError",
    "PluginError",
    "PluginResultError",
    "ResourceError",
    "UntrustedPluginError",
    "WrongBaseError",
    "WrongTaskError",
    "nearest",
]


class NmtLstmError(Exception):
    """Base of every error that a user can cause and fix.

    Args:
        message: for the user.
        path: the file or folder that is wrong.
        line: number of the line in it, from 1.
        key: dotted path of the setting, or name of the option, that is wrong.
        value: the wrong value, or the unknown name.
        known: names that would be valid.
    """

    exit_status = 1

    def __init__(
        self,
        message: str,
        *,
        path: Path | None = None,
        line: int | None = None,
        key: str = "",
        value: object = None,
        known: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.key = key
        self.value = value
        self.known = tuple(known)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the message and the attributes: the arguments of a constructor may not be picklable."""
        return _unpickle, (type(self), str(self), self.__dict__)


def _unpickle(kind: type[NmtLstmError], message: str, attributes: dict[str, Any]) -> NmtLstmError:
    error = kind.__new__(kind, message)
    error.__dict__.update(attributes)
    return error


class ConfigurationError(NmtLstmError):
    """A run file, an override or a command-line option is wrong."""

    exit_status = 2


class ChangedPluginError(ConfigurationError):
    """A plugin differs from the one that a training run started with.

    Args:
        message: for the user.
        names: the cells, attentions and encoders that differ.
        differences: one description for each name.
    """

    def __init__(self, message: str, *, names: Sequence[str] = (), differences: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)
        self.differences = tuple(differences)


class LaunchError(ConfigurationError):
    """Processes were started in a way that does not match what the run asks for.

    Args:
        message: for the user.
        variable: the environment variable that does not match.
        value: its value; empty if it is missing.
    """

    def __init__(self, message: str, *, variable: str, value: str) -> None:
        super().__init__(message, value=value)
        self.variable = variable


class NothingLeftError(ConfigurationError):
    """The settings allow no more training than a run has already done; `key` is the one that would have to be larger."""


class DataError(NmtLstmError):
    """A corpus, a line of it or a prepared store cannot be used."""


class NotTextError(DataError):
    """A line given to a translator is not a string.

    Args:
        number: the line's number, from 1 unless the caller counts differently.
        value: what was given instead.
    """

    def __init__(self, number: int, value: object) -> None:
        kind = "None" if value is None else f"a value of type {type(value).__name__}"
        advice = "decode it, for example with .decode('utf-8')" if isinstance(value, bytes) else "give a str"
        super().__init__(f"line {number} is {kind}, not text; {advice}.", line=number, value=value)
        self.number = number


class DivergenceError(NmtLstmError):
    """The loss or its gradient is not a finite number, or too large, so training cannot continue from these weights.

    Args:
        step: optimizer steps taken before.
        learning_rate: of the last of these steps.
        advice: what to do; empty for the usual advice.
        what: the values that are wrong; empty for the loss or its gradient.
        how: what is wrong with them; empty if they are not finite.
        batch: a file with the batch of the step that failed.
    """

    def __init__(
        self,
        step: int,
        learning_rate: float,
        *,
        advice: str = "",
        what: str = "",
        how: str = "",
        batch: Path | None = None,
    ) -> None:
        what, how = what or "the loss or its gradient", how or "is not a finite number"
        super().__init__(
            f"training diverged: {what} {how} after step {step:,}, at learning rate {learning_rate:.3g}"
            + (f"; the batch is in '{batch}'. " if batch is not None else ". ")
            + (advice or "Lower training.optimizer.learning_rate, and keep training.clip_norm above 0.")
        )
        self.step, self.learning_rate = step, learning_rate
        self.what, self.how, self.batch = what, how, batch


class CallbackError(NmtLstmError):
    """A callback of `training.callbacks`, or of `fit`, raised an exception.

    Args:
        callback: the name of its class.
        location: file and line.
        problem: the exception.
    """

    def __init__(self, callback: str, location: str, problem: BaseException) -> None:
        reason = " ".join(str(problem).split())[:300].rstrip(".") or "no message"
        super().__init__(f"the callback {callback} failed at {location}: {type(problem).__name__}: {reason}.")
        self.callback = callback
        self.location = location


class PluginError(NmtLstmError):
    """A cell, an attention or an encoder cannot be found, loaded or built."""


class AuthorError(PluginError, TypeError):
    """The class of a cell, an attention or an encoder does not meet the contract of its base class.

    Args:
        part: the cell, the attention or the encoder.
        problem: a sentence that names the class or the method.
        defined: the class or the method; the message gives its file and line.
    """

    def __init__(self, part: object, problem: str, defined: Any) -> None:
        file, line = _definition(defined)
        location = f" It is defined in '{file}', line {line}." if file else ""
        super().__init__(f"{problem}.{location} 'nmt-lstm plugins check' looks for the cause.")
        self.part = type(part).__name__
        self.file = file
        self.line = line


class PluginResultError(AuthorError):
    """A method of a cell, an attention or an encoder returned an invalid value.

    Args:
        part: the cell, the attention or the encoder.
        method: the name of the method.
        problem: what it returned, and what is expected.
    """

    def __init__(self, part: object, method: str, problem: str) -> None:
        name = f"{type(part).__name__}.{method}"
        super().__init__(part, f"{name} returned {problem}", getattr(type(part), method, None))
        self.method = method


class MissingMethodError(AuthorError):
    """A class lacks a method that its base class calls and its author must write.

    Args:
        part: the cell, the attention or the encoder.
        problem: which method, such as "does not define update(x, h, state)".
    """

    def __init__(self, part: object, problem: str) -> None:
        super().__init__(part, f"{type(part).__name__} {problem}", type(part))


def _definition(defined: Any) -> tuple[str, int]:
    """Return the file and the line that define a class or a function; ("", 0) if there is no file."""
    try:
        return inspect.getsourcefile(defined) or "", inspect.getsourcelines(defined)[1]
    except (OSError, TypeError):  # defined in a notebook, or not a Python function
        return "", 0


class WrongBaseError(PluginError):
    """The name of a cell, an attention or an encoder leads to something that is not a subclass of the base class of its kind.

    Args:
        message: for the user.
        target: ``package.module:Class``.
        base: the base class, in the same form.
    """

    def __init__(self, message: str, *, target: str = "", base: str = "") -> None:
        super().__init__(message)
        self.target = target
        self.base = base


class UntrustedPluginError(PluginError):
    """A model folder names a class that no installed distribution provides.

    Args:
        message: for the user.
        target: ``package.module:Class``.
        file: the file that Python would import it from; None if there is none.
    """

    def __init__(self, message: str, *, target: str = "", file: Path | None = None) -> None:
        super().__init__(message, value=target)
        self.target = target
        self.file = file


class ModelFolderError(NmtLstmError):
    """A model folder cannot be used."""


class WrongTaskError(ModelFolderError):
    """A model is for a different task than the command or the class that was asked to use it.

    Args:
        message: for the user; it names the right commands.
        path: the model folder.
        task: what the model is for.
    """

    def __init__(self, message: str, path: Path, task: str) -> None:
        super().__init__(message, path=path, value=task)
        self.task = task


class ResourceError(NmtLstmError):
    """The machine lacks a resource: memory, disk space, a device or a number format."""


class FolderInUseError(ResourceError):
    """Another process is training into the output folder.

    Args:
        folder: the output folder.
        process: id of the process; None if it has not written it yet.
    """

    def __init__(self, folder: Path, process: int | None) -> None:
        who = f"process {process}" if process else "another process"
        super().__init__(
            f"{who} is training into '{folder}'; wait until it ends, stop it, or choose another folder with -o."
        )
        self.folder = folder
        self.process = process


class LostProcessError(ResourceError):
    """Another process of a training run died, is stopped or cannot be reached; what was saved is intact.

    Args:
        what: what happened, as a clause.
        rank: of the lost process; None if it is unknown.
    """

    def __init__(self, what: str, rank: int | None = None) -> None:
        super().__init__(f"{what}; saved states are intact: continue with --resume.")
        self.what = what
        self.rank = rank
