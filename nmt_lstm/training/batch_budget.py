"""The number of pieces of a step if ``training.batch_pieces`` is "auto": what suits the text, or less if memory is short."""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.batching.loader import PlannedBatches
from nmt_lstm.config.defaults import BATCH_UNIT, batch_of
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of_content
from nmt_lstm.model.build import build_network
from nmt_lstm.numerics.available_memory import PeakMemory, available_memory
from nmt_lstm.numerics.out_of_memory import is_out_of_memory
from nmt_lstm.numerics.precision import autocast
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.optimization import build_optimizer
from nmt_lstm.training.run_context import RunContext

__all__ = ["BatchChoice", "budget_that_fits", "with_chosen_batch"]

# The share of the available memory that a step may need: validation needs some, too, and so do other programs.
USABLE = 0.7
# The parts of the wanted number for which steps are tried, small ones first; their memory tells that of larger steps.
TRIALS = (1 / 16, 1 / 8, 1 / 4)
# Steps of an epoch among which the largest is looked for.
SAMPLED_STEPS = 64
# The processes that have not measured wait for the one that has.
POLL_SECONDS = 0.1
LONGEST_WAIT = 1_800.0

Measure = Callable[[int], int]
"""Returns the bytes that steps of so many pieces need at most, with the network and the optimizer."""


class BatchChoice(NamedTuple):
    """The number of pieces of a step, and what to say about it."""

    pieces: int
    sentence: str


def with_chosen_batch(
    run: RunSettings,
    prepared: Prepared,
    context: RunContext,
    make_data: Callable[[RunSettings, Prepared], TranslationDataModule],
    identity: Mapping[str, Any] | None,
) -> tuple[RunSettings, list[str]]:
    """Return a run whose ``training.batch_pieces`` is a number, and sentences about it.

    The first process measures, and records the number in the output folder, where the others read it. A run that is
    resumed keeps the number of its checkpoint, or what is recorded: it never measures again.

    Args:
        run: the settings.
        prepared: its text.
        context: the call of `fit`.
        make_data: returns the data module of settings.
        identity: that of the run in its checkpoint; None for a new run.
    """
    if run.training.batch_pieces != "auto":
        return run, []
    if identity is not None:
        pieces = int(identity["settings"]["training"]["batch_pieces"])
        choice = BatchChoice(pieces, f"Batches have up to {pieces:,} pieces, as at the start of the run.")
    else:
        choice = _recorded(run, prepared, context, make_data)
    training = run.training.model_copy(update={"batch_pieces": choice.pieces})
    said = [] if context.returned else [choice.sentence]
    return run.model_copy(update={"training": training}), said


def budget_that_fits(wanted: int, measure: Measure, available: int) -> BatchChoice:
    """Return the largest number of pieces up to `wanted` whose steps fit into the available memory.

    The memory of large steps is estimated from that of small ones, since a step that does not fit may end the process.

    Args:
        wanted: the number that suits the text.
        measure: raises a failed allocation for steps that do not fit.
        available: bytes.
    """
    usable = USABLE * available
    sizes = sorted({max(1, math.ceil(wanted * part)) for part in TRIALS})
    measured: list[tuple[int, int]] = []
    for size in sizes:
        if len(measured) > 1 and _estimate(measured, size) > usable:
            break
        try:
            measured.append((size, measure(size)))
        except Exception as problem:
            if not is_out_of_memory(problem):
                raise
            # The steps before this one fit, with little to spare.
            usable = float(measured[-1][1] if measured else 0)
            break
    largest = _largest(measured, wanted, usable)
    if largest >= wanted:
        return BatchChoice(
            wanted, f"Batches have up to {wanted:,} pieces, which suit the text and fit into memory."
        )
    memory = f"{available / 2**30:.1f} GiB"
    return BatchChoice(
        largest,
        f"Batches have up to {largest:,} pieces, which fit into the available memory ({memory}); {wanted:,} would suit the "
        f"text. The same results as with these: training.batch_pieces = {wanted}, training.accumulate = "
        f"{math.ceil(wanted / largest)}.",
    )


def _largest(measured: list[tuple[int, int]], wanted: int, usable: float) -> int:
    """Return the largest number of pieces whose estimated memory is usable; at least one pair is always tried."""
    if not measured:
        return 1
    low, high = 1, wanted
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _estimate(measured, middle) <= usable else (low, middle - 1)
    return low if low in (1, wanted) else max(1, low - low % min(BATCH_UNIT, max(1, low // 4)))


def _estimate(measured: list[tuple[int, int]], pieces: int) -> float:
    """Return the estimated bytes of steps of so many pieces: a line through the largest two measurements."""
    if len(measured) == 1:
        size, needed = measured[0]
        return needed * max(1.0, pieces / size)
    (size, needed), (larger, more) = measured[-2:]
    slope = max(0.0, (more - needed) / max(1, larger - size))
    return more + slope * (pieces - larger)


def _recorded(
    run: RunSettings,
    prepared: Prepared,
    context: RunContext,
    make_data: Callable[[RunSettings, Prepared], TranslationDataModule],
) -> BatchChoice:
    """Return the number that the first process has recorded for this run; the first process measures if there is none."""
    path = context.checkpoint_path.with_name("batch-pieces.json")
    key = _key(run, prepared, context)
    deadline = time.monotonic() + LONGEST_WAIT
    while (pieces := _read(path, key)) is None:
        if context.launch.is_first:
            wanted = batch_of(run, len(prepared.train))
            shares = context.devices.world_size * run.training.accumulate
            trial = _Trial(run, prepared, context, make_data, shares)
            # The processes of a machine share its memory, but each has a GPU of its own.
            sharing = context.devices.count if context.devices.accelerator == "cpu" else 1
            choice = budget_that_fits(
                wanted, trial.measure, available_memory(context.devices.device) // sharing
            )
            trial.end()
            write_atomically(path, checked_json({"key": key, "batch_pieces": choice.pieces}))
            return choice
        if time.monotonic() > deadline:
            raise ResourceError(
                f"the first process has not written '{path}' within {LONGEST_WAIT / 60:.0f} minutes; all processes must see "
                f"the same folder. Set training.batch_pieces to a number."
            )
        time.sleep(POLL_SECONDS)
    return BatchChoice(pieces, f"Batches have up to {pieces:,} pieces, as recorded in '{path}'.")


def _key(run: RunSettings, prepared: Prepared, context: RunContext) -> str:
    """Return what the number depends on, other than the machine: a number for other settings is not used."""
    values = {
        "model": run.model.model_dump(mode="json"),
        "optimizer": run.training.optimizer.name,
        "accumulate": run.training.accumulate,
        "processes": context.devices.world_size,
        "text": prepared.fingerprint,
    }
    return sha256_of_content(json.dumps(values, sort_keys=True))


def _read(path: Path, key: str) -> int | None:
    """Return the recorded number; None if there is none for these settings."""
    try:
        values = parse_checked(path.read_bytes())
    except (OSError, ValueError):
        return None
    pieces = values.get("batch_pieces")
    return pieces if values.get("key") == key and isinstance(pieces, int) and pieces > 0 else None


class _Trial:
    """Takes steps with a network that is discarded; the random numbers that the run draws later stay the same."""

    def __init__(
        self,
        run: RunSettings,
        prepared: Prepared,
        context: RunContext,
        make_data: Callable[[RunSettings, Prepared], TranslationDataModule],
        shares: int,
    ) -> None:
        self._run, self._prepared, self._context = run, prepared, context
        self._make_data, self._shares = make_data, shares
        self._device = context.devices.device
        self._peak = PeakMemory(self._device)
        self._network: torch.nn.Module | None = None

    def measure(self, pieces: int) -> int:
        """Return the bytes that the largest steps of so many pieces need at most."""
        training = self._run.training
        settings = training.model_copy(update={"batch_pieces": pieces})
        data = self._make_data(self._run.model_copy(update={"training": settings}), self._prepared)
        self._peak.restart()
        with torch.random.fork_rng([self._device] if self._device.type == "cuda" else []):
            if self._network is None:
                sides = self._prepared.subwords
                self._network = build_network(
                    self._run.task, self._run.model, sides.source.size, sides.target.size
                ).to(self._device)
                self._optimizer = build_optimizer(
                    self._network, training.optimizer, fused=self._context.precision != "fp16"
                )
            for batch in _largest_batches(data.batches(0), self._shares):
                moved = batch.to(self._device)
                with autocast(self._device, self._context.precision):
                    loss = self._network.loss(moved, label_smoothing=training.label_smoothing)  # type: ignore[operator]
                (loss.total / batch.loss_divisor).backward()
                self._optimizer.step()
                self._optimizer.zero_grad()
        return self._peak.bytes()

    def end(self) -> None:
        """Free the network."""
        self._network = None
        self.__dict__.pop("_optimizer", None)
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _largest_batches(batches: PlannedBatches, shares: int) -> list[Batch]:
    """Return the batch with most positions and that with the longest sentences, among some steps of an epoch."""
    steps = len(batches.plan)
    count = min(steps, SAMPLED_STEPS)
    sample = [
        batches.collated(batches.plan.share(number * steps // count, 0, shares)) for number in range(count)
    ]
    widths = [each.source.pieces.shape[1] + each.target_inputs.shape[1] for each in sample]
    areas = [each.rows * width for each, width in zip(sample, widths, strict=True)]
    chosen = {max(range(count), key=areas.__getitem__), max(range(count), key=widths.__getitem__)}
    return [sample[number] for number in sorted(chosen)]
