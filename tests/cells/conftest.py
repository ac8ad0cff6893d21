"""Cells that several tests use."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nmt_lstm.cells.cell import State
from nmt_lstm.cells.gated_cell import GatedCell


class RunningMean(GatedCell):
    """A mean of inputs whose widths, initial state and output all differ from a cell's defaults."""

    gates = ("new", "shown")
    state = ("total", "count")
    recurrent = False
    output_is_state = False

    @property
    def bridge_sizes(self) -> dict[str, int]:
        return {"total": self.hidden_size}

    def bridged_state(self, projected: State) -> State:
        return (*projected, torch.ones_like(projected[0]))

    def update(self, x: Any, h: Any, state: State) -> State:
        total, count = state[0] + torch.tanh(x.new), state[1] + 1
        return torch.sigmoid(x.shown) * total / count, total, count


@pytest.fixture(scope="session")
def running_mean() -> type[GatedCell]:
    """A class of cells that declares whatever can be declared differently from the defaults."""
    return RunningMean
