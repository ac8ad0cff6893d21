"""Frozen cells whose state is more than what the bridge gives, or whose output is no state."""

from __future__ import annotations

import torch

from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.inference.frozen_cell import can_freeze, freeze_cell


class Averaging(GatedCell):
    """A mean of what came so far, whose count starts at one."""

    gates = ("new", "shown")
    state = ("total", "count")
    history = False
    output_is_state = False

    @property
    def bridge_sizes(self) -> dict[str, int]:
        return {"total": self.hidden_size}

    def bridged_state(self, parts):
        return (*parts, torch.ones_like(parts[0]))

    def update(self, x, h, state):
        total, count = state[0] + torch.tanh(x.new), state[1] + 1
        return torch.sigmoid(x.shown) * total / count, total, count


def test_a_frozen_cell_starts_as_the_cell_does_and_gives_what_it_gives() -> None:
    torch.manual_seed(1)
    cell = Averaging(5, 6).eval()
    assert can_freeze(cell)
    inputs, parts = torch.randn(3, 4, 5), (torch.randn(3, 6),)
    with torch.no_grad():
        expected = [cell(inputs, start) for start in (cell.initial_state(3), cell.bridged_state(parts))]
        frozen = freeze_cell(cell, "float32")
        seen = [frozen(inputs, start) for start in (frozen.initial_state(3), frozen.bridged_state(parts))]
    for (outputs, last), (wanted, wanted_last) in zip(seen, expected, strict=True):
        torch.testing.assert_close(outputs, wanted)
        torch.testing.assert_close(last, wanted_last)
    assert not frozen.output_is_state
    assert dict(frozen.bridge_sizes) == {"total": 6}


def test_an_int8_table_is_as_near_as_its_levels() -> None:
    torch.manual_seed(1)
    embedding = torch.randn(40, 5)
    cell = Averaging(5, 6).eval()
    with torch.no_grad():
        expected = embedding @ cell.weight_ih.t() + cell.bias_ih
        table = freeze_cell(cell, "int8", embedding).from_input
        found = table(torch.arange(40))
    assert table.weight.dtype == torch.int8
    levels = expected.abs().amax(1, keepdim=True) / 127
    assert ((found - expected).abs() <= 0.51 * levels).all()
