"""The half-life of a memory as an experiment: change one unit a little, and watch how long the change lasts.

Gates tell how much of a unit each step keeps; they do not tell what comes back to it through the recurrent weights. The
experiment counts that too. Shapes: T positions, H hidden width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell
from nmt_lstm.lab.inspection.cell_trace import Call, CellTrace

__all__ = ["MAX_UNITS", "MeasuredHalfLives", "measured_half_lives"]

MAX_UNITS = 64
"""Units that are changed; of a wider cell, as many at equal distances. Each is a copy of the rest of the sentence."""
CHANGE = 0.01
"""Size of a change, as a share of the unit's typical size: large enough for float32, too small to move gates much."""
MIN_CHANGE = 1e-4
"""Size of a change of a unit that is always zero."""
TINY = 1e-12
BEGINNING = 0.25
"""Share of the sentence that is read before the change, so that the memory holds something."""


@dataclass(frozen=True)
class MeasuredHalfLives:
    """How long changes lasted."""

    units: Tensor
    """(U,) int64: which units were changed."""
    lives: Tensor
    """(U,): positions after which half of each change was left; infinite where more was left at the end."""
    room: int
    """Positions between the change and the end: no half-life longer than this is seen."""


def measured_half_lives(cell: Cell, calls: Sequence[Call], record: CellTrace) -> MeasuredHalfLives | None:
    """Change the memory of one unit at a time and return after how many positions half of the difference is left.

    The difference is that of the same unit, between the sentence with and without the change. It counts as halved where
    it last falls below half. Inputs stay as they were: what a change would do to layers above, and through these to the
    attention, does not count.

    Args:
        cell: any cell, in evaluation mode.
        calls: as they were made.
        record: of the same calls, in the order in which the cell reads.

    Returns:
        None for a sequence that is too short.
    """
    inputs = torch.cat([call.inputs[0] for call in calls])
    begin = max(1, round(len(inputs) * BEGINNING))
    room = len(inputs) - begin
    if room < 1:
        return None
    names = list(record.states)
    memory = names.index(record.memory)
    units = _chosen(record.before.shape[1])
    change = (CHANGE * record.after[:, units].square().mean(0).sqrt()).clamp_min(MIN_CHANGE)
    rows = torch.arange(len(units))
    # The last row stays as it is.
    state = [record.states[name][begin - 1].repeat(len(units) + 1, 1) for name in names]
    state[memory][rows, units] += change
    shares = [torch.ones(len(units))]
    current = tuple(state)
    with torch.no_grad():
        for position in inputs[begin:]:
            _, current = cell.step(position.expand(len(units) + 1, -1), current)
            after = current[memory]
            shares.append((after[rows, units] - after[-1, units]).abs() / change)
    return MeasuredHalfLives(units, _halved(torch.stack(shares)), room)


def _chosen(width: int) -> Tensor:
    """Return at most `MAX_UNITS` units of a width, at equal distances."""
    count = min(width, MAX_UNITS)
    return torch.arange(count) * width // count


def _halved(shares: Tensor) -> Tensor:
    """Return where each column of shares (T + 1, U), which begin with 1, last falls below a half, between positions."""
    large = shares >= 0.5
    last = (large * torch.arange(len(shares))[:, None]).amax(0)
    after = (last + 1).clamp_max(len(shares) - 1)
    columns = torch.arange(shares.shape[1])
    high, low = shares[last, columns], shares[after, columns]
    # Between two positions a change is taken to shrink by the same factor all the way, as gates make it.
    between = (2 * high).log() / (high.clamp_min(TINY) / low.clamp_min(TINY)).log().clamp_min(TINY)
    return torch.where(last == len(shares) - 1, torch.inf, last + between)
