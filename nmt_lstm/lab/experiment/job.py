"""The interface of a run that an experiment executes."""

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
    """A run that is sent to a worker process; it and its result must be picklable."""

    memory_advice: ClassVar[str]
    """What to lower if memory is short."""

    key: str
    """Identifies the run within the experiment."""
    name: str
    """Name for messages."""
    log: Path | None = field(default=None, kw_only=True)
    """File for the output of its process. A run with a log gets a process of its own; others share one in turn."""

    @abstractmethod
    def perform(self, report: Callable[[str], None]) -> Result:
        """Execute the run; SIGTERM asks it to stop.

        Args:
            report: receives progress messages.

        Raises:
            NmtLstmError: the run failed.
        """

    @abstractmethod
    def outcome(self, result: Result) -> str:
        """Return a short description of the result."""
