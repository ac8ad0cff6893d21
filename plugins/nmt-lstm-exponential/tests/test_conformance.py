"""The conformance kit on both cells."""

from __future__ import annotations

import pytest

from nmt_lstm import CELLS
from nmt_lstm.testing import CELL_CHECKS, CellSubject, DoesNotApply

CASES = [
    ("slstm", {}),
    ("slstm", {"forget_gate": "exponential", "forget_bias": 0.5}),
    ("mlstm", {"heads": 2}),
]


@pytest.mark.parametrize("check", CELL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "options"), CASES, ids=["slstm", "slstm-exponential", "mlstm"])
def test_conformance(name, options, check) -> None:
    try:
        check(CellSubject(CELLS.get(name), options, 5, 6))
    except DoesNotApply as reason:
        pytest.skip(str(reason))
