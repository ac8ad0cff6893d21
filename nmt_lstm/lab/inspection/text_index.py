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

__all__ = ["KEPT", "extremes", "index_of"]

KEPT = 12
"""Positions that are kept of each unit and direction, each in a different sentence."""
NONE = 65535
"""Stands for a position where there are fewer sentences; no text that is read has so many positions."""


def index_of(found: Overview) -> dict[str, Any]:
    """Return the sentences, and for each cell where its units are extreme, as values for JSON.

    Positions count through all sentences of a side. Of a cell: mean and deviation of each unit's memory, as float32, and
    the positions of each unit, first the highest, then the lowest, as unsigned 16-bit numbers, all in base64.
    """
    return {
        "encoder": [list(pieces) for pieces in found.sources],
        "decoder": [list(pieces) for pieces in found.targets],
        "kept": KEPT,
        "cells": {cell.key: _cell(cell) for cell in found.cells},
    }


def extremes(memory: Tensor, lengths: list[int]) -> Tensor:
    """Return the positions (H, 2, KEPT) at which units are highest and lowest, the best first, one of each sentence.

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
        chosen = values.argsort(dim=0, descending=True, stable=True)[:KEPT]
        found = torch.full((KEPT, memory.shape[1]), NONE)
        found[: len(chosen)] = places.gather(0, chosen)
        both.append(found.T)
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
