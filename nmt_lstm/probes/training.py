"""Training a cell on a task: fresh sequences at every step, a test at every so many, an end when it is solved."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator

from nmt_lstm.probes.catalogue import find_task
from nmt_lstm.probes.gradient_flow import gradient_flow
from nmt_lstm.probes.network import ProbeNetwork
from nmt_lstm.probes.record import Attempt, GradientFlow, RunRecord, time_of_now, versions_of_now
from nmt_lstm.probes.run import ProbeRun
from nmt_lstm.probes.task import Episode, Task
from nmt_lstm.registry import CELLS

__all__ = ["Progress", "train_probe"]

_FLOW_ROWS = 32


class Progress(NamedTuple):
    """Where a run is."""

    run: ProbeRun
    learning_rate: float
    step: int
    loss: float


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
            attempts.append(_attempt(run, task, network, test, learning_rate, deadline, report))
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
    task: Task,
    network: ProbeNetwork,
    test: Episode,
    learning_rate: float,
    deadline: float,
    report: Callable[[Progress], None],
) -> Attempt:
    settings, generator = run.settings, _generator(run, "training")
    parameters = list(network.parameters())
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    curve: list[tuple[int, float]] = []

    def measure(step: int) -> float:
        curve.append((step, _test_loss(network, task, test)))
        report(Progress(run, learning_rate, step, curve[-1][1]))
        return curve[-1][1]

    def ended(stopped: str) -> Attempt:
        return Attempt.model_validate(
            {"learning_rate": learning_rate, "stopped": stopped, "steps": step, "curve": curve}
        )

    for step in range(1, settings.steps + 1):
        network.train()
        episode = task.draw(run.length, settings.batch_size, generator)
        loss = task.loss(network(episode.inputs, episode.targets.shape[1]), episode.targets)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
        if not math.isfinite(float(norm)):
            curve.append((step, math.inf))
            return ended("diverged")
        optimizer.step()
        over = time.process_time() >= deadline
        if (over or step % settings.check_every == 0 or step == settings.steps) and (
            measure(step) < task.solved_below(run.length)
        ):
            return ended("solved")
        if over:
            return ended("time limit")
    return ended("steps")


def _test_loss(network: ProbeNetwork, task: Task, test: Episode) -> float:
    network.eval()
    with torch.no_grad():
        return float(task.loss(network(test.inputs, test.targets.shape[1]), test.targets))


def _build(run: ProbeRun, task: Task) -> ProbeNetwork:
    cell = CELLS.build(run.cell.name, task.input_size, run.settings.hidden_size, options=run.cell.options)
    return ProbeNetwork(cell, task.output_size)


def _number(run: ProbeRun, purpose: str) -> int:
    place = f"{purpose} {run.task} {run.length} {run.seed}".encode()
    return int.from_bytes(hashlib.blake2b(place, digest_size=8).digest(), "little") >> 1


def _generator(run: ProbeRun, purpose: str) -> Generator:
    return Generator().manual_seed(_number(run, purpose))
