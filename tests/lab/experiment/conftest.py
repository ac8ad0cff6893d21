"""Runs with prescribed behaviour, in a module that worker processes can import."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

JOBS = """
import os, signal, time
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.errors import DataError
from nmt_lstm.lab.experiment.job import Job


@dataclass(frozen=True)
class Ordered(Job):
    memory_advice = "lower the tide"

    order: str
    folder: Path

    def log_event(self, event):
        with (self.folder / "events").open("a") as file:
            file.write(f"{event} {self.key}\\n")

    def perform(self, report):
        self.log_event("begin")
        before = (self.folder / "events").read_text()
        report(f"under way, {os.getpid()}")
        print("something to read", flush=True)
        if self.order == "refuse":
            raise DataError("it is broken.")
        if self.order == "crash":
            raise ValueError("a\\ntraceback")
        if self.order == "large":
            raise MemoryError
        if self.order == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.order == "exit":
            os._exit(7)
        if self.order == "large at first" and before.count(f"begin {self.key}") == 1:
            while "begin wide" not in (self.folder / "events").read_text():
                time.sleep(0.01)
            raise MemoryError
        if self.order == "until large fails":
            time.sleep(2)
        if self.order == "wait":
            def stop(number, frame):
                self.log_event(f"signal{number}")
                raise SystemExit(1)
            signal.signal(signal.SIGTERM, stop)
            self.log_event("ready")
            time.sleep(60)
        self.log_event("end")
        return os.getpid()

    def outcome(self, result):
        return "done"
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that defines `Ordered`."""
    (tmp_path / "ordered_runs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delitem(importlib.import_module("sys").modules, "ordered_runs", raising=False)
    return importlib.import_module("ordered_runs")


@pytest.fixture
def make_jobs(stand_in: ModuleType, tmp_path: Path):
    """Return a function that makes runs from their behaviour by name."""

    def make(orders: dict[str, str], *, logged: bool = False) -> list:
        return [
            stand_in.Ordered(key, key, order, tmp_path, log=tmp_path / key / "log.txt" if logged else None)
            for key, order in orders.items()
        ]

    return make
