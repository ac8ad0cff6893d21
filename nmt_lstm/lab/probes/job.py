"""A probe as a job of processes, and which probes have a result already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from nmt_lstm.lab.experiment.job import Job
from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.run import ProbeRun
from nmt_lstm.lab.probes.summary import number
from nmt_lstm.lab.probes.training import train_probe

__all__ = ["ProbeJob", "results_of"]


@dataclass(frozen=True)
class ProbeJob(Job[RunRecord]):
    """A probe, done by one thread."""

    memory_advice: ClassVar = "lower --batch-size, --hidden-size or --jobs"

    run: ProbeRun

    def perform(self, tell: Callable[[str], None]) -> RunRecord:
        """Do the probe; each test is told. A cell may fail in any way."""
        torch.set_num_threads(1)
        return train_probe(self.run, lambda progress: tell(str(progress)))

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
