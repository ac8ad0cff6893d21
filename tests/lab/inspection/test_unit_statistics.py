"""Statistics of units that were made by hand, so that what they should be is known."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.lab.inspection.cell_trace import CellTrace
from nmt_lstm.lab.inspection.unit_statistics import UnitStatistics, features_of

PIECES = ["▁a", "▁(", "b", ")", "▁c", "</s>"]


def record(memory: torch.Tensor, gate: torch.Tensor | None = None) -> CellTrace:
    return CellTrace(
        gates={} if gate is None else {"forget": gate, "candidate": gate},
        functions={} if gate is None else {"forget": "sigmoid", "candidate": "tanh"},
        states={"cell": memory},
        outputs=memory.tanh(),
        memory="cell",
        before=torch.zeros_like(memory),
        retention=gate,
    )


def statistics(memory: torch.Tensor, gate: torch.Tensor | None = None) -> UnitStatistics:
    found = UnitStatistics()
    found.add(record(memory, gate), PIECES, 3)
    found.add(record(memory, gate), PIECES, 5)
    return found


def test_features_are_position_brackets_and_end() -> None:
    position, brackets, end = features_of(PIECES).T.tolist()
    assert position == [0, 1, 2, 3, 4, 5]
    assert brackets == [0, 1, 1, 0, 0, 0]
    assert end == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "inside"), [("„a“b", "1100"), ('"a"b', "1100"), ("「若」い", "1100"), ("(a[b]c)d", "11111100")]
)
def test_brackets_and_quotation_marks_are_closed_by_their_partners(text, inside) -> None:
    assert "".join(str(int(value)) for value in features_of(list(text))[:, 1].tolist()) == inside


def test_units_that_follow_something_are_found_with_their_sign() -> None:
    features = features_of(PIECES)
    torch.manual_seed(0)
    memory = torch.stack(
        [-3 * features[:, 0], features[:, 1] - 0.5, features[:, 2], torch.tensor([1.0, -1, 1, -1, 1, -1])], 1
    )
    found = {(each.unit, each.feature): each.correlation for each in statistics(memory).followers()}
    assert found[0, "position"] == pytest.approx(-1)
    assert found[1, "brackets"] == pytest.approx(1)
    assert found[2, "end"] == pytest.approx(1)
    assert not any(unit == 3 for unit, _ in found)


def test_a_constant_unit_follows_nothing() -> None:
    assert statistics(torch.ones(6, 2)).followers() == []


def test_dead_and_saturated_units_are_named() -> None:
    memory = torch.stack([torch.full((6,), 0.005), torch.full((6,), -4.0), torch.linspace(-1, 1, 6)], 1)
    found = statistics(memory)
    assert found.dead == [0]
    assert found.saturated == [1]


def test_gates_are_counted() -> None:
    gate = torch.stack([torch.full((6,), 0.95), torch.tensor([0.05, 0.05, 0.05, 0.5, 0.5, 0.5])], 1)
    (gates,) = statistics(torch.ones(6, 2), gate).gates.items()
    assert gates[0] == "forget"
    assert gates[1].open == pytest.approx(0.5)
    assert gates[1].closed == pytest.approx(0.25)
    assert (gates[1].always_open, gates[1].always_closed) == (1, 0)
    assert sum(gates[1].histogram) == pytest.approx(1)
    assert gates[1].histogram[19] == pytest.approx(0.5)


def test_half_lives_and_horizons_are_those_of_the_whole_text() -> None:
    found = statistics(torch.ones(6, 1), torch.full((6, 1), 0.5))
    assert found.half_lives.tolist() == pytest.approx([1.0])
    assert found.whole_sentences == 0.5
    assert (found.positions, found.units) == (12, 1)
