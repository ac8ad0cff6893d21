"""Check of a cell's `reset_parameters`: all that the constructor draws is drawn again, from the same range."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nmt_lstm.cells.cell import Cell
from nmt_lstm.testing.failure import ConformanceFailure, DoesNotApply

__all__ = ["check_drawn_again"]

HINT = "Override reset_parameters: call the base's, then draw each nn.Parameter of the cell's own as the constructor does."
# From fewer numbers the spread cannot be told. Of so many it is known to a seventh, so a factor of 2 is no accident.
FEWEST = 50
LARGEST_RATIO = 2.0


def check_drawn_again(build: Callable[[int], Cell]) -> str:
    """Spoil a cell's parameters, reset them, and compare with what the constructor draws.

    Two cells of different seeds tell which values are drawn at random: these must have the constructor's spread, all others
    the constructor's values. Not the same bits for the same seed: the order of the draws is the author's.

    Args:
        build: returns a new cell, as the constructor draws it for a seed.

    Raises:
        ConformanceFailure: a parameter is left as it was, or is not drawn as the constructor does.
        DoesNotApply: the cell has no parameters.
    """
    drawn = [dict(build(seed).named_parameters()) for seed in (1, 2)]
    cell = build(3)
    parameters = dict(cell.named_parameters())
    if not parameters:
        raise DoesNotApply("the cell has no parameters")
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.fill_(torch.nan)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        cell.reset_parameters()
    with torch.no_grad():
        left = [name for name, parameter in cell.named_parameters() if bool(parameter.isnan().any())]
        if left:
            raise ConformanceFailure(f"reset_parameters leaves {', '.join(left)} as it was", HINT)
        for name, parameter in cell.named_parameters():
            _compare(name, parameter, [other[name] for other in drawn])
    return f"{len(parameters)} parameters"


def _compare(name: str, again: Tensor, drawn: Sequence[Tensor]) -> None:
    constant = drawn[0] == drawn[1]
    if not torch.equal(again[constant], drawn[0][constant]):
        raise ConformanceFailure(
            f"'{name}' has other values after reset_parameters than the constructor gives it", HINT
        )
    if int((~constant).sum()) < FEWEST:
        return
    ratio = float(again[~constant].std() / drawn[0][~constant].std())
    if not 1.0 / LARGEST_RATIO < ratio < LARGEST_RATIO:
        raise ConformanceFailure(
            f"'{name}' has {ratio:.1f} times the spread after reset_parameters that the constructor gives it",
            HINT,
        )
