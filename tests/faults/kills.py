"""Killing a command at a random time, or within a random part of its work, and comparing what it ends with."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

KILLS = int(os.environ.get("NMT_LSTM_KILLS", "4"))
SEED = int(os.environ.get("NMT_LSTM_SEED", "0"))
KILLED = Path(__file__).with_name("killed.py")
FORKS = Path(__file__).with_name("forks.py")
FORKED = "forked"


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
    """Return a command in a process of its own."""
    return [sys.executable, "-m", "nmt_lstm", *map(str, arguments)]


def nmt_lstm_forked(*arguments: object) -> list[str]:
    """Return a command in a process forked from one that has imported the libraries, which is quicker; only on Linux."""
    return [FORKED if sys.platform == "linux" else sys.executable, *nmt_lstm(*arguments)[1:]]


def is_killed(command: Sequence[str], folder: Path, kill: Kill) -> bool:
    """Run a command that is killed at a moment; False if it was done before, without an error."""
    words = list(command[command.index("nmt_lstm") + 1 :])
    moment = [kill.part, kill.call, kill.how, kill.count] if kill.part else []
    if command[0] == FORKED:
        status, output = forked().run(words, folder, moment, timeout=600 if kill.part else kill.seconds)
    else:
        real = list(command)
        if kill.part:
            real = [sys.executable, str(KILLED), *map(str, moment), *words]
        # A new session, so that the processes it starts are killed with it, as when a machine stops.
        process = subprocess.Popen(
            real,
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
            kill_session(process.pid)
            process.communicate()
        status = process.returncode
    assert status in (0, -signal.SIGKILL), output
    return status != 0


def kill_session(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def run(command: Sequence[str], folder: Path) -> str:
    """Run a command undisturbed, and return its output."""
    status, output = outcome(command, folder)
    assert status == 0, output
    return output


def outcome(command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run a command undisturbed, and return its status and its output."""
    if command[0] == FORKED:
        return forked().run(command[command.index("nmt_lstm") + 1 :], folder)
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    return finished.returncode, finished.stdout + finished.stderr


class Forked:
    """Commands in processes forked from one that has imported the libraries."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.server = subprocess.Popen(
            [sys.executable, str(FORKS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, words: Sequence[str], folder: Path, kill: Sequence[object] = (), *, timeout: float = 600.0
    ) -> tuple[int, str]:
        """Run a command, which is killed after `timeout` seconds, and return its status and its output."""
        output = self.folder / "output"
        order = {"words": list(words), "folder": str(folder), "output": str(output), "kill": list(kill)}
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        process = int(self.server.stdout.readline())
        timer = threading.Timer(timeout, kill_session, [process])
        timer.start()
        status = int(self.server.stdout.readline())
        timer.cancel()
        return status, "".join(Path(f"{output}.{number}").read_text(errors="replace") for number in (1, 2))


@functools.cache
def forked() -> Forked:
    return Forked()


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
