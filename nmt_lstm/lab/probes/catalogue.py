"""The tasks by name."""

from __future__ import annotations

from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.lab.probes.adding import Adding
from nmt_lstm.lab.probes.copying import Copying
from nmt_lstm.lab.probes.dyck import Dyck
from nmt_lstm.lab.probes.parity import Parity
from nmt_lstm.lab.probes.sine import Sine
from nmt_lstm.lab.probes.sorting import Sorting
from nmt_lstm.lab.probes.task import Task

__all__ = ["TASKS", "find_task"]

TASKS: dict[str, Task] = {
    task.name: task for task in (Adding(), Copying(), Parity(), Dyck(), Sorting(), Sine())
}


def find_task(name: str) -> Task:
    """Return the task of this name.

    Raises:
        ConfigurationError: there is none; the message has the nearest name and all names.
    """
    if name not in TASKS:
        raise ConfigurationError(f"unknown task '{name}'.{nearest(name, TASKS)} Known: {', '.join(TASKS)}.")
    return TASKS[name]
