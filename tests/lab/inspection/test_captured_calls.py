"""Which cells a network has, and with what they are called."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import collate
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.lab.inspection.captured_calls import captured
from nmt_lstm.model.cell_locations import cell_locations

SOURCE, TARGET = [5, 6, 7], [8, 9]


@pytest.mark.parametrize("wiring", WIRINGS)
def test_each_cell_is_called_with_what_it_reads(make_inspector, wiring) -> None:
    model = make_inspector(wiring=wiring, layers=2).model
    found = cell_locations(model)
    batch = collate([SOURCE], [TARGET])
    with torch.no_grad(), captured([location.cell for location in found]) as calls:
        noted = model(batch).outputs
    for location, own in zip(found, calls, strict=True):
        positions = sum(call.inputs.shape[1] for call in own)
        assert positions == (len(SOURCE) if location.side == "encoder" else len(TARGET)) + 1
        assert all(call.inputs.shape[2] == location.cell.input_size for call in own)
    # The decoder starts from the bridge, not from zeros.
    decoder = next(own for location, own in zip(found, calls, strict=True) if location.side == "decoder")
    assert decoder[0].state[0].abs().sum() > 0
    with torch.no_grad():
        assert torch.equal(model(batch).outputs, noted)


def test_the_two_transitions_of_the_conditional_wiring_are_named(make_inspector) -> None:
    found = cell_locations(make_inspector(wiring="conditional").model)
    assert [location.direction for location in found] == ["forward", "backward", "first", "second"]
