"""Training a cell on a task: fresh sequences at every step, a test at every so many, an end when it is solved."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator

from nmt_lstm.lab.probes.catalogue import find_task
from nmt_lstm.lab.probes.network import ProbeNetwork, gradient_flow
from nmt_lstm.lab.probes.record import Attempt, GradientFlow, RunRecord, Stopped, time_of_now, versions_of_now
from nmt_lstm.lab.probes.run import ProbeRun
from nmt_lstm.lab.probes.task import Episode, Task
from nmt_lstm.registry import CELLS
from nmt_lstm.training.randomness import seed_of

__all__ = ["Progress", "train_probe"]

_FLOW_ROWS = 32
# Numbers of the cell's outputs at a time when nothing is learnt: 16 MB in float32.
_LARGEST_OUTPUTS = 4_000_000


class Progress(NamedTuple):
    """Where a run is."""

    learning_rate: float
    step: int
    loss: float

    def __str__(self) -> str:
        return f"step {self.step:,} at {self.learning_rate:g}, loss {self.loss:.3g}"


def train_probe(run: ProbeRun, report: Callable[[Progress], None] = lambda _: None) -> RunRecord:
    """Do one probe. Its result depends on `run` alone, not on what ran before, and leaves torch's own seed alone.

    Cells of the same task, length and seed see the same sequences in the same order.

    Args:
        run: what to do.
        report: told at each test.

    Raises:
        PluginError: the cell cannot be built.
    """
    task, settings = find_task(run.task), run.settings
    start = time.process_time()
    test = task.draw(run.length, settings.test_rows, _generator(run, "test"))
    looked_at = Episode(test.inputs[:_FLOW_ROWS], test.targets[:_FLOW_ROWS])
    attempts: list[Attempt] = []
    flows: list[list[float]] = []
    with torch.random.fork_rng(devices=[]):
        for tried, learning_rate in enumerate(settings.learning_rates):
            torch.manual_seed(_number(run, "weights"))
            network = _build(run, task)
            initial = gradient_flow(network.eval(), task, looked_at)
            spent = time.process_time() - start
            share = (settings.time_limit - spent) / (len(settings.learning_rates) - tried)
            deadline = time.process_time() + share
            attempts.append(_attempt(run, network, test, learning_rate, deadline, report))
            flows.append(gradient_flow(network.eval(), task, looked_at))
            if attempts[-1].stopped == "solved":
                break
    record = RunRecord(
        run=run,
        distribution=CELLS.record(run.cell.name),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        baseline=task.baseline(run.length),
        solved_below=task.solved_below(run.length),
        attempts=attempts,
        gradient_flow=GradientFlow(initial=initial, trained=flows[-1]),
        seconds=time.process_time() - start,
        versions=versions_of_now(),
        finished=time_of_now(),
    )
    flow = GradientFlow(initial=initial, trained=flows[attempts.index(record.best)])
    return record.model_copy(update={"gradient_flow": flow})


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
        over = time.process_time() >= deadline
        if over or step == settings.steps or step % settings.check_every == 0:
            tested = _test_loss(network, task, test)
            curve.append((step, tested))
            report(Progress(learning_rate, step, tested))
            if tested < goal:
                stopped = "solved"
            elif not math.isfinite(tested):
                stopped = "diverged"
            elif over:
                stopped = "time limit"
            elif step == settings.steps:
                stopped = "steps"
    return Attempt(
        learning_rate=learning_rate, stopped=stopped, steps=step, curve=curve, largest_gradient=largest
    )


def _test_loss(network: ProbeNetwork, task: Task, test: Episode) -> float:
    network.eval()
    rows, positions, _ = test.inputs.shape
    at_once = max(1, _LARGEST_OUTPUTS // (positions * network.cell.output_size))
    total = 0.0
    with torch.no_grad():
        for inputs, targets in zip(test.inputs.split(at_once), test.targets.split(at_once), strict=True):
            total += len(inputs) * float(task.loss(network(inputs, targets.shape[1]), targets))
    return total / rows


def _build(run: ProbeRun, task: Task) -> ProbeNetwork:
    cell = CELLS.build(run.cell.name, task.input_size, run.settings.hidden_size, options=run.cell.options)
    return ProbeNetwork(cell, task.output_size)


def _number(run: ProbeRun, purpose: str) -> int:
    return seed_of(f"{purpose} {run.task} {run.length} {run.seed}".encode())


def _generator(run: ProbeRun, purpose: str) -> Generator:
    return Generator().manual_seed(_number(run, purpose))
