"""The conformance kit on every attention of the distribution."""

from __future__ import annotations

import pytest

from nmt_lstm import ATTENTIONS
from nmt_lstm.testing import ATTENTION_CHECKS, AttentionSubject, DoesNotApply

CASES = {
    "coverage": ("coverage", {}),
    "coverage-fertility": ("coverage", {"fertility": 2.0}),
    "location": ("location", {"filters": 3, "width": 3}),
    "location-cumulative": ("location", {"filters": 3, "width": 5, "cumulative": True}),
    "local": ("local", {"reach": 4.0}),
    "monotonic": ("monotonic", {}),
    "entmax": ("entmax", {"temperature": 4.0}),
    "sparsemax": ("entmax", {"weights": "sparsemax", "temperature": 4.0}),
}


@pytest.mark.parametrize("check", ATTENTION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "options"), CASES.values(), ids=CASES)
def test_conformance(name, options, check) -> None:
    try:
        check(AttentionSubject(ATTENTIONS.get(name), options, 6, 8))
    except DoesNotApply as reason:
        pytest.skip(str(reason))
