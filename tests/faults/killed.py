"""Run ``nmt-lstm``, and kill it within a part of its work: ``python killed.py PART CALL HOW COUNT COMMAND ...``.

PART is a name of `PARTS`. The process kills itself with SIGKILL in that function's CALL-th call: HOW is "files", after
COUNT more operations on files, or "seconds", after COUNT seconds. It may survive: the call may never come, or the command
may be done before.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import subprocess
import sys
from typing import Any

PARTS = {
    "preparation": ("nmt_lstm.text.preparation", "write_store"),
    "step": ("nmt_lstm.training.module", "TranslationModule.training_step"),
    "validation": ("nmt_lstm.training.validator", "Validator.validate"),
    "weights": ("nmt_lstm.training.best_checkpoints", "BestCheckpoints.save"),
    "model": ("nmt_lstm.checkpoint.model_folder", "write"),
    "checkpoint": ("nmt_lstm.training.checkpointing", "TrainingCheckpoint.save"),
    "end": ("nmt_lstm.training.fit", "select_weights"),
    "row": ("nmt_lstm.lab.leaderboard.store", "BoardFiles.append"),
    "translation": ("nmt_lstm.files.output_parts", "OutputParts.write"),
    "merging": ("nmt_lstm.files.output_parts", "OutputParts.merge"),
    "result": ("nmt_lstm.lab.comparison.folder", "write_text"),
}
OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}


def arm(how: str, count: float) -> None:
    """Let this process be killed after a number of operations on files or of seconds."""
    process = os.getpid()
    if how == "seconds":
        # By another process: a thread would wait for libraries that hold Python's lock.
        subprocess.Popen(["sh", "-c", f"sleep {count}; kill -9 {process} 2>/dev/null"])
        return
    remaining = int(count)

    def count_down(event: str, _: Any) -> None:
        nonlocal remaining
        if event in OPERATIONS and os.getpid() == process:
            remaining -= 1
            if remaining < 0:
                os.kill(process, signal.SIGKILL)

    sys.addaudithook(count_down)


def arm_within(part: str, call: int, how: str, count: float) -> None:
    """Arm the process when the function of a part is called for the `call`-th time."""
    module_name, path = PARTS[part]
    owner: Any = importlib.import_module(module_name)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    function = getattr(owner, name)
    calls = 0

    @functools.wraps(function)
    def armed(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            arm(how, count)
        return function(*arguments, **options)

    setattr(owner, name, armed)


if __name__ == "__main__":
    part, call, how, count, *command = sys.argv[1:]
    sys.argv[1:] = command
    arm_within(part, int(call), how, float(count))
    from nmt_lstm.cli.app import main

    sys.exit(main())
