"""Where in a text each unit is at its highest and lowest: small enough for a page, which looks up chosen units in it.

Shapes: N positions of the whole text, H hidden width.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nmt_lstm.lab.inspection.overview import CellOverview, Overview

__all__ = ["PLACES", "extremes", "index_of"]

PLACES = 12
"""Positions listed for each unit and direction, each in a different sentence."""
NONE = 65535
"""Stands for a position where there are fewer sentences; no text that is read has so many positions."""


def index_of(overview: Overview) -> dict[str, Any]:
    """Return the sentences, and for each cell where its units are extreme, as values for JSON.

    Positions count through all sentences of a side. Of a cell: mean and deviation of each unit's memory, as float32, and
    the positions of each unit, first the highest, then the lowest, as unsigned 16-bit numbers, all in base64.
    """
    return {
        "encoder": [list(pieces) for pieces in overview.sources],
        "decoder": [list(pieces) for pieces in overview.targets],
        "places_per_unit": PLACES,
        "cells": {cell.key: _cell(cell) for cell in overview.cells},
    }


def extremes(memory: Tensor, lengths: list[int]) -> Tensor:
    """Return the positions (H, 2, PLACES) at which units are highest and lowest, the best first, one of each sentence.

    Args:
        memory: (N, H).
        lengths: of the sentences, which add up to N.
    """
    starts = np.cumsum([0, *lengths[:-1]]).tolist()
    both = []
    for signed in (memory, -memory):
        best = [part.max(0) for part in signed.split(lengths)]
        values = torch.stack([each.values for each in best])
        places = torch.stack([each.indices + start for each, start in zip(best, starts, strict=True)])
        chosen = values.argsort(dim=0, descending=True, stable=True)[:PLACES]
        selected = torch.full((PLACES, memory.shape[1]), NONE)
        selected[: len(chosen)] = places.gather(0, chosen)
        both.append(selected.T)
    return torch.stack(both, 1)


def _cell(cell: CellOverview) -> dict[str, str]:
    statistics = cell.statistics
    memory = statistics.memory
    return {
        "mean": _base64(memory.mean(0).numpy().astype("<f4")),
        "deviation": _base64(memory.std(0, unbiased=False).numpy().astype("<f4")),
        "places": _base64(extremes(memory, statistics.lengths).numpy().astype("<u2")),
    }


def _base64(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
