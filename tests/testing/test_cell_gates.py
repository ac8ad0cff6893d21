"""The check of gates catches those that are not what their names say."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.testing import CellSubject, ConformanceFailure
from nmt_lstm.testing.cell_gates import recorded_gates_lie_in_their_range


class NeverRead(GatedCell):
    gates = ("spare", "candidate")

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)


class ChangedInPlace(GatedCell):
    gates = ("forget", "candidate")

    def update(self, x, h, state):
        forget = torch.sigmoid(x.forget + h.forget)
        forget.mul_(3)
        return (forget * torch.tanh(x.candidate + h.candidate),)


class DependsOnGradients(GatedCell):
    gates = ("candidate",)

    def update(self, x, h, state):
        candidate = torch.tanh(x.candidate + h.candidate)
        return (candidate / 2 if torch.is_grad_enabled() else candidate,)


BROKEN = [
    (recorded_gates_lie_in_their_range, NeverRead, "never read: spare"),
    (
        recorded_gates_lie_in_their_range,
        ChangedInPlace,
        r"gate 'forget': \d+ of 300 values are outside 0 to 1",
    ),
    (
        recorded_gates_lie_in_their_range,
        DependsOnGradients,
        "outputs while recording: largest difference .*, allowed 1e-05",
    ),
]


def test_a_broken_cell_is_caught(broken) -> None:
    check, part, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(CellSubject(part))
