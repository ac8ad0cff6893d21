"""The cells of a network and their locations: none is missing, in any wiring."""

from __future__ import annotations

from typing import get_args

import pytest

from nmt_lstm.cells.cell import Cell
from nmt_lstm.config.wirings import WIRINGS, WiringName
from nmt_lstm.model.cell_locations import cell_locations


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("directions", ["bidirectional", "first", "unidirectional"])
def test_every_cell_has_one_location(make_model, wiring, directions) -> None:
    model = make_model(wiring=wiring, encoder={"layers": 2, "directions": directions}, decoder={"layers": 2})
    locations = cell_locations(model)
    cells = {id(module) for module in model.modules() if isinstance(module, Cell)}
    assert sorted(id(location.cell) for location in locations) == sorted(cells)
    assert len({location.key for location in locations}) == len(locations)


def test_locations_go_from_the_source_to_the_output(make_model) -> None:
    model = make_model(
        wiring="conditional", encoder={"layers": 2, "directions": "first"}, decoder={"layers": 2}
    )
    assert [location.key for location in cell_locations(model)] == [
        "encoder.1.forward", "encoder.1.backward", "encoder.2.forward",
        "decoder.1.first", "decoder.1.second", "decoder.2.forward",
    ]  # fmt: skip


def test_the_names_of_wirings_are_those_of_their_table() -> None:
    assert set(get_args(WiringName)) == set(WIRINGS)
