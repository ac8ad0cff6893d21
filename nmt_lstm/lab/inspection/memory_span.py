"""How long a cell remembers: what its gates say, and what gradients measure.

Shapes: T positions, H hidden width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell
from nmt_lstm.lab.inspection.cell_trace import Call

__all__ = ["half_lives", "horizon", "survival"]

PROBES = 8
"""Random directions whose gradients estimate the norm of a Jacobian (Hutchinson 1989)."""
FADED = 0.05
"""Share of the gradient at distance 0 below which a position counts as forgotten."""


def half_lives(retention: Tensor) -> Tensor:
    """Return for each unit (H,) after how many positions half of its memory is left if its gates stay as they were.

    Args:
        retention: (T, H), see `CellTrace.retention`.

    Returns:
        ln 2 / -mean(ln |retention|): 0 for a unit that keeps nothing, infinite for one that loses nothing.
    """
    decay = -retention.abs().clamp_min(1e-12).log().mean(0)
    return torch.where(decay > 0, math.log(2) / decay.clamp_min(1e-12), torch.inf)


def survival(cell: Cell, calls: Sequence[Call]) -> Tensor:
    """Return how strongly each input (T,) still acts on the last output: the norm of its gradient.

    It is estimated by random projections of the output, the same ones at each call. The whole Jacobian counts: gates that
    change with the input, and all paths through time.

    Args:
        cell: any cell, in evaluation mode.
        calls: as they were made; single steps count as one sequence from the first one's state.
    """
    # Each direction has a copy of the sequence, so that one pass back serves all of them.
    inputs = torch.cat([call.inputs for call in calls], 1).repeat(PROBES, 1, 1).requires_grad_()
    state = tuple(part.repeat(PROBES, *[1] * (part.dim() - 1)) for part in calls[0].state)
    with torch.enable_grad():
        outputs, _ = cell(inputs, state)
        last = outputs[:, -1]
        generator = torch.Generator().manual_seed(1)
        directions = torch.randn(last.shape, generator=generator).to(last)
        (gradient,) = torch.autograd.grad((last * directions).sum(), inputs)
    return gradient.square().sum(-1).mean(0).sqrt().detach()


def horizon(strengths: Tensor) -> int:
    """Return how many positions back the last one can look: the greatest distance at which `survival` is at least 5 % of
    that of the last position.

    Args:
        strengths: (T,), as of `survival`.
    """
    reach = (strengths >= FADED * strengths[-1]).nonzero().flatten()
    return len(strengths) - 1 - int(reach[0]) if len(reach) else 0
