"""What an experiment asks of one of its runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

__all__ = ["Job", "Result"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class Job(ABC, Generic[Result]):
    """One run as it is sent to the process that does it, so it must be possible to pickle it and its result."""

    memory_advice: ClassVar[str]
    """What to lower where memory is short."""

    key: str
    """What tells it from all other runs of the experiment."""
    name: str
    """What messages call it."""
    log: Path | None = field(default=None, kw_only=True)
    """Where its process writes. A run with a log has a process to itself; others share one, one after another."""

    @abstractmethod
    def perform(self, tell: Callable[[str], None]) -> Result:
        """Do the run; SIGTERM asks it to end.

        Args:
            tell: told in words how far the run is.

        Raises:
            NmtLstmError: it cannot be done.
        """

    @abstractmethod
    def outcome(self, result: Result) -> str:
        """Return the result in a few words."""
