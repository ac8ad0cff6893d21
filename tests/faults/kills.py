"""Killing a command at a random time, or within a random part of its work, and comparing what it ends with."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

KILLS = int(os.environ.get("NMT_LSTM_KILLS", "4"))
KILLED = Path(__file__).with_name("killed.py")


class Kill(NamedTuple):
    """When a program is killed."""

    seconds: float = 0.0
    """After its start; if `part` is empty."""
    part: str = ""
    """A name of `killed.PARTS`."""
    call: int = 1
    how: str = "files"
    count: float = 0.0

    @staticmethod
    def draw(draw: random.Random, seconds: float, parts: dict[str, tuple[int, float, int]]) -> Kill:
        """Return a random moment of a program that takes so many seconds."""
        if not parts or draw.random() < 0.5:
            return Kill(seconds=draw.uniform(0.0, seconds))
        part = draw.choice(list(parts))
        calls, longest, operations = parts[part]
        call = draw.randint(1, calls)
        if operations and draw.random() < 0.6:
            return Kill(part=part, call=call, count=draw.randrange(operations))
        return Kill(part=part, call=call, how="seconds", count=draw.uniform(0.0, longest))

    def name(self) -> str:
        """What the summary calls it."""
        return self.part or "any time"


def nmt_lstm(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "nmt_lstm", *map(str, arguments)]


def is_killed(command: Sequence[str], folder: Path, kill: Kill) -> bool:
    """Run a command that is killed at a moment; False if it was done before, without an error."""
    if kill.part:
        words = [sys.executable, str(KILLED), kill.part, str(kill.call), kill.how, str(kill.count)]
        command = [*words, *command[command.index("nmt_lstm") + 1 :]]
    # A new session, so that the processes it starts are killed with it, as when a machine stops.
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    output = ""
    try:
        output, _ = process.communicate(timeout=600 if kill.part else kill.seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), output
    return process.returncode != 0


def run(command: Sequence[str], folder: Path) -> str:
    """Run a command undisturbed, and return its output."""
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout + finished.stderr


def time_of(command: Sequence[str], folder: Path) -> float:
    """Run a command undisturbed and return the seconds it took."""
    start = time.monotonic()
    run(command, folder)
    return time.monotonic() - start


def counted_kills(
    what: str,
    counted: Callable[[str], None],
    attempt: Callable[[Kill], bool],
    difference: Callable[[], str],
    *,
    draw: random.Random,
    seconds: float,
    parts: dict[str, tuple[int, float, int]],
    kills: int = KILLS,
) -> None:
    """Kill a program again and again, each time from a fresh start, and compare what it ends with.

    Args:
        what: is killed, for the summary.
        counted: adds to the summary.
        attempt: runs the program afresh, killed at a moment; False if it was done before.
        difference: lets the program finish, and says what differs from an undisturbed one; empty if nothing does.
        draw: of the moments.
        seconds: that it takes undisturbed.
        parts: of its work.
        kills: how many.
    """
    problems, moments = [], dict.fromkeys(["any time", *parts], 0)
    for number in range(kills):
        kill = Kill.draw(draw, seconds, parts)
        while not attempt(kill):
            kill = Kill.draw(draw, seconds, parts)
        moments[kill.name()] += 1
        if problem := difference():
            problems.append(f"kill {number}, {kill}: {problem}")
    met = ", ".join(f"{name} {count}" for name, count in moments.items() if count)
    counted(f"{kills - len(problems)} of {kills} kills of {what} ended as if undisturbed ({met})")
    assert not problems, "\n".join(problems)


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files that are still there."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob(".*")
        if path.name != ".lock" and not path.name.endswith(".lock")
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
