"""Training a cell on a task: new sequences in each step, regular tests, and an early end when the task is solved."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Generator

from nmt_lstm.lab.experiment.job import Job
from nmt_lstm.lab.probes.catalogue import find_task
from nmt_lstm.lab.probes.network import ProbeNetwork, gradient_flow
from nmt_lstm.lab.probes.result import Attempt, GradientFlow, ProbeResult, Stopped
from nmt_lstm.lab.probes.run import ProbeRun
from nmt_lstm.lab.probes.summary import loss_text
from nmt_lstm.lab.probes.task import Episode, Task
from nmt_lstm.registry import CELLS
from nmt_lstm.training.randomness import seed_of

__all__ = ["ProbeJob", "Progress", "train_probe"]

_FLOW_ROWS = 32
# Outputs of the cell computed at once in a test: 16 MB in float32.
_MAX_OUTPUTS = 4_000_000


class Progress(NamedTuple):
    """The state of a run after a test."""

    learning_rate: float
    step: int
    loss: float

    def __str__(self) -> str:
        return f"step {self.step:,} at {self.learning_rate:g}, loss {self.loss:.3g}"


@dataclass(frozen=True)
class ProbeJob(Job[ProbeResult]):
    """A run in a worker process, on one thread."""

    memory_advice: ClassVar = "lower --batch-size, --hidden-size or --jobs"

    run: ProbeRun

    def perform(self, report: Callable[[str], None]) -> ProbeResult:
        """Execute the run, reporting each test; a cell may raise anything."""
        torch.set_num_threads(1)
        return train_probe(self.run, lambda progress: report(str(progress)))

    def outcome(self, result: ProbeResult) -> str:
        """Return whether the task was solved, the loss, and the processor time."""
        best = result.best
        solved = f"solved in {best.steps:,} steps" if result.solved else f"not solved ({best.stopped})"
        losses = f"loss {loss_text(result.loss)} (baseline {loss_text(result.baseline)})"
        return f"{solved}, {losses}, {result.seconds or 0:.0f} s"


def train_probe(run: ProbeRun, report: Callable[[Progress], None] = lambda _: None) -> ProbeResult:
    """Execute a run. The result depends on `run` alone, and the global random state of torch does not change.

    Cells with the same task, length and seed see the same sequences in the same order.

    Args:
        run: the run.
        report: called after each test.

    Raises:
        PluginError: the cell cannot be built.
    """
    task, settings = find_task(run.task), run.settings
    start = time.process_time()
    test = task.draw(run.length, settings.test_rows, _generator(run, "test"))
    sample = Episode(test.inputs[:_FLOW_ROWS], test.targets[:_FLOW_ROWS])
    attempts: list[Attempt] = []
    flows: list[list[float]] = []
    with torch.random.fork_rng(devices=[]):
        for number, learning_rate in enumerate(settings.learning_rates):
            torch.manual_seed(_seed(run, "weights"))
            network = _build(run, task)
            initial = gradient_flow(network.eval(), task, sample)
            # Time that an attempt leaves is shared by the remaining ones.
            remaining = settings.time_limit - (time.process_time() - start)
            deadline = time.process_time() + remaining / (len(settings.learning_rates) - number)
            attempts.append(_attempt(run, network, test, learning_rate, deadline, report))
            flows.append(gradient_flow(network.eval(), task, sample))
            if attempts[-1].stopped == "solved":
                break
    result = ProbeResult(
        run=run,
        distribution=CELLS.record(run.cell.name),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        baseline=task.baseline(run.length),
        solved_below=task.solved_below(run.length),
        attempts=attempts,
        gradient_flow=GradientFlow(initial=initial, trained=flows[-1]),
        seconds=time.process_time() - start,
    )
    flow = GradientFlow(initial=initial, trained=flows[attempts.index(result.best)])
    return result.model_copy(update={"gradient_flow": flow})


def _attempt(
    run: ProbeRun,
    network: ProbeNetwork,
    test: Episode,
    learning_rate: float,
    deadline: float,
    report: Callable[[Progress], None],
) -> Attempt:
    task, settings, generator = find_task(run.task), run.settings, _generator(run, "training")
    parameters = list(network.parameters())
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    goal = task.solved_below(run.length)
    curve: list[tuple[int, float | None]] = []
    stopped: Stopped | None = None
    step, largest = 0, 0.0
    while stopped is None:
        step += 1
        network.train()
        episode = task.draw(run.length, settings.batch_size, generator)
        loss = task.loss(network(episode.inputs, episode.targets.shape[1]), episode.targets)
        optimizer.zero_grad()
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm or math.inf))
        largest = max(largest, norm) if math.isfinite(norm) else math.inf
        if not math.isfinite(norm):
            curve.append((step, None))
            stopped = "diverged"
            break
        optimizer.step()
        out_of_time = time.process_time() >= deadline
        if out_of_time or step == settings.steps or step % settings.check_every == 0:
            test_loss = _test_loss(network, task, test)
            curve.append((step, test_loss))
            report(Progress(learning_rate, step, test_loss))
            if test_loss < goal:
                stopped = "solved"
            elif not math.isfinite(test_loss):
                stopped = "diverged"
            elif out_of_time:
                stopped = "time limit"
            elif step == settings.steps:
                stopped = "steps"
    return Attempt(
        learning_rate=learning_rate, stopped=stopped, steps=step, curve=curve, largest_gradient=largest
    )


def _test_loss(network: ProbeNetwork, task: Task, test: Episode) -> float:
    network.eval()
    rows, positions, _ = test.inputs.shape
    block = max(1, _MAX_OUTPUTS // (positions * network.cell.output_size))
    total = 0.0
    with torch.no_grad():
        for inputs, targets in zip(test.inputs.split(block), test.targets.split(block), strict=True):
            total += len(inputs) * float(task.loss(network(inputs, targets.shape[1]), targets))
    return total / rows


def _build(run: ProbeRun, task: Task) -> ProbeNetwork:
    cell = CELLS.build(run.cell.name, task.input_size, run.settings.hidden_size, options=run.cell.options)
    return ProbeNetwork(cell, task.output_size)


def _seed(run: ProbeRun, purpose: str) -> int:
    return seed_of(f"{purpose} {run.task} {run.length} {run.seed}".encode())


def _generator(run: ProbeRun, purpose: str) -> Generator:
    return Generator().manual_seed(_seed(run, purpose))
