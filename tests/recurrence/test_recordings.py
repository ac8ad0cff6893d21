"""Recordings of updates are kept only as long as they are the update."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.recurrence import recordings


class Scaled(GatedCell):
    """Depends on a number, a parameter and a buffer of its own, and on one of its class."""

    gates = ("keep", "add")
    push = 0.5

    def __init__(self, input_size, hidden_size) -> None:
        super().__init__(input_size, hidden_size)
        self.pull = 2.0
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, hidden_size))
        self.register_buffer("shift", torch.linspace(-1.0, 1.0, hidden_size))

    def update(self, x, h, state):
        keep = torch.sigmoid(self.pull * (x.keep + h.keep))
        return (keep * state[0] + self.scale * torch.tanh(x.add + h.add + self.shift) - self.push,)


@pytest.fixture
def recorded(monkeypatch) -> list:
    """The updates that were recorded."""
    calls = []
    record = recordings.record

    def counted(recurrence, *arguments):
        calls.append(recurrence.module)
        return record(recurrence, *arguments)

    monkeypatch.setattr(recordings, "record", counted)
    return calls


def check(cell, rows: int) -> None:
    """The unrolled loop's results and gradients are those of plain autograd."""
    inputs = torch.randn(rows, 6, 3, dtype=torch.float64)
    found = []
    for take in (cell.unroll, lambda *given: Cell.forward(cell, *given)):
        outputs, (last,) = take(inputs, cell.initial_state(rows))
        loss = outputs.square().sum() + last.sum()
        parameters = [parameter for parameter in cell.parameters() if parameter.requires_grad]
        found.append([outputs, *torch.autograd.grad(loss, parameters)])
    for seen, expected in zip(*found, strict=True):
        torch.testing.assert_close(seen, expected)


def test_one_recording_serves_any_number_of_rows(recorded) -> None:
    cell = Scaled(3, 4).double()
    for rows in (2, 20, 7, 11, 20):
        check(cell, rows)
    # On fewer rows than it is recorded on, a recording is made for these alone.
    assert len(recorded) == 2


class Broadcast(GatedCell):
    """Parameters of which the first size may be mistaken for the rows."""

    gates = ("new",)

    def __init__(self, input_size, hidden_size, *, rows: int = 1) -> None:
        super().__init__(input_size, hidden_size)
        self.scales = nn.Parameter(torch.linspace(0.5, 1.5, rows * hidden_size).view(rows, hidden_size))
        self.register_buffer("shifts", torch.linspace(-1.0, 1.0, rows))

    def update(self, x, h, state):
        scale = (-self.scales).sum(0, keepdim=True) if len(self.scales) > 1 else self.scales
        return (scale * torch.tanh(x.new + h.new) + (-self.shifts).sum(),)


@pytest.mark.parametrize("rows", [1, 2, 7, 8])
def test_rows_are_not_mistaken_for_what_is_broadcast(rows) -> None:
    for order in ((rows, 20, rows), (20, rows, 9)):
        cell = Broadcast(3, 4, rows=rows).double()
        for batch in order:
            check(cell, batch)


def test_sequences_of_different_rows_may_be_under_way_at_once(recorded) -> None:
    cell = Scaled(3, 4).double()
    inputs = [torch.randn(rows, 6, 3, dtype=torch.float64) for rows in (9, 16, 9)]
    together = [cell(one, cell.initial_state(len(one)))[0].sum() for one in inputs]
    found = [torch.autograd.grad(one, cell.parameters()) for one in together]
    for one, gradients in zip(inputs, found, strict=True):
        alone = Cell.forward(cell, one, cell.initial_state(len(one)))[0].sum()
        for seen, expected in zip(gradients, torch.autograd.grad(alone, cell.parameters()), strict=True):
            torch.testing.assert_close(seen, expected)
    assert len(recorded) == 1


CHANGES = {
    "a number": lambda cell: setattr(cell, "pull", 3.0),
    "a number of the class": lambda cell: setattr(type(cell), "push", 0.25),
    "a tuple of its class": lambda cell: setattr(type(cell), "bounds", (0.0, 2.0)),
    "a number of its base": lambda cell: setattr(type(cell).__base__, "push", 0.75),
    "the same number, as a whole one": lambda cell: setattr(cell, "pull", 2),
    "another parameter": lambda cell: setattr(cell, "scale", nn.Parameter(torch.ones(4, dtype=torch.float64))),
    "other memory": lambda cell: setattr(cell.scale, "data", torch.ones(4, dtype=torch.float64)),
    "another buffer": lambda cell: setattr(cell, "shift", torch.ones(4, dtype=torch.float64)),
    "no gradient": lambda cell: cell.scale.requires_grad_(False),
    "another function": lambda cell: setattr(type(cell), "update", lambda *given: (2 * Scaled.update(*given)[0],)),
    "training ends": lambda cell: cell.eval(),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_the_update_makes_it_recorded_anew(change, recorded) -> None:
    base = type("Base", (Scaled,), {"push": 0.5})
    cell = type("Mine", (base,), {})(3, 4).double()
    check(cell, 20)
    change(cell)
    check(cell, 20)
    check(cell, 20)
    assert len(recorded) == 2


def test_values_that_change_in_place_are_seen(recorded) -> None:
    cell = Scaled(3, 4).double()
    check(cell, 20)
    with torch.no_grad():
        cell.scale.mul_(2)
        cell.shift.add_(1)
    check(cell, 20)
    assert len(recorded) == 1


def test_an_update_with_attributes_that_may_change_unseen_is_recorded_each_time(recorded) -> None:
    cell = Scaled(3, 4).double()
    cell.history_of_norms = []
    check(cell, 20)
    check(cell, 20)
    assert len(recorded) == 2


def test_a_copy_has_a_recording_of_its_own_and_a_cell_that_is_gone_has_none(recorded) -> None:
    cell = Scaled(3, 4).double()
    check(cell, 20)
    other = copy.deepcopy(cell)
    check(other, 20)
    assert recorded == [cell, other]
    recorded.clear()
    seen = weakref.ref(cell)
    del cell
    gc.collect()
    assert seen() is None
