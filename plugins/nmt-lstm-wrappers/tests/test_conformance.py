"""The conformance kit on every wrapper, around gated cells and around other wrappers."""

from __future__ import annotations

import pytest

from nmt_lstm import CELLS
from nmt_lstm.testing import CELL_CHECKS, CellSubject, DoesNotApply

WRAPPERS = ["recurrent_dropout", "residual", "weight_drop", "zoneout"]
OTHER = {"cell": "zoneout", "cell_options": {"cell": "gru", "rate": 0.3}}
CASES = [
    *((name, {}) for name in WRAPPERS),
    (
        "zoneout",
        {"cell": "recurrent_dropout", "cell_options": {"cell": "rnn"}, "rate": 0.2, "other_rate": 0.4},
    ),
    ("weight_drop", OTHER),
]


@pytest.mark.parametrize("check", CELL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("name", "options"), CASES, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_conformance(name, options, check) -> None:
    try:
        check(CellSubject(CELLS.get(name), options, 5, 6))
    except DoesNotApply as reason:
        pytest.skip(str(reason))
