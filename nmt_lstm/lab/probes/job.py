"""A probe as a job of processes, and which probes have a result already."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from nmt_lstm.errors import PluginError
from nmt_lstm.lab.experiment.job import Job
from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.run import ProbeRun
from nmt_lstm.lab.probes.summary import number
from nmt_lstm.lab.probes.training import train_probe
from nmt_lstm.registry import CELLS

__all__ = ["ProbeJob", "results_of"]


@dataclass(frozen=True)
class ProbeJob(Job[RunRecord]):
    """A probe, done by one thread."""

    memory_advice: ClassVar = "lower --batch-size, --hidden-size or --jobs"

    run: ProbeRun

    def perform(self, tell: Callable[[str], None]) -> RunRecord:
        """Do the probe; each test is told.

        Raises:
            PluginError: the cell fails; the message says in which line of its file.
        """
        torch.set_num_threads(1)
        try:
            return train_probe(self.run, lambda progress: tell(str(progress)))
        except MemoryError:
            raise
        except Exception as problem:
            file = inspect.getsourcefile(CELLS.get(self.run.cell.name))
            frames = traceback.extract_tb(problem.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == file]
            place = f"{file}, line {lines[-1]}: " if lines else ""
            words = " ".join(str(problem).split()) or "no message"
            raise PluginError(f"{place}{type(problem).__name__}: {words}") from problem

    def outcome(self, result: RunRecord) -> str:
        """Return whether it was solved, the loss, and the processor time."""
        best = result.best
        solved = f"solved in {best.steps:,} steps" if result.solved else f"not solved ({best.stopped})"
        return f"{solved}, loss {number(result.loss)} (baseline {number(result.baseline)}), {result.seconds or 0:.0f} s"


def results_of(runs: Sequence[ProbeRun], records: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """Return the newest record that settles each run, by the run's identity, for those that have one."""
    newest = {record.run.identity: record for record in records}
    return {
        run.identity: newest[run.identity]
        for run in runs
        if run.identity in newest and newest[run.identity].settles(run)
    }
