"""How often each client may ask."""

from __future__ import annotations

import pytest

from nmt_lstm.server.rates import Rates


def test_a_rate_admits_a_minutes_number_at_once_and_then_its_average() -> None:
    now = [100.0]
    rates = Rates(lambda: now[0])
    assert [rates.wait("a", 3, 1) for _ in range(3)] == [0.0] * 3
    assert rates.wait("a", 3, 1) == pytest.approx(20.0)
    assert rates.wait("b", 3, 1) == 0.0
    now[0] += 20.0
    assert rates.wait("a", 3, 1) == 0.0
    assert rates.wait("a", 3, 1) > 0.0


def test_a_list_counts_as_its_texts_and_may_be_longer_than_the_rate() -> None:
    now = [0.0]
    rates = Rates(lambda: now[0])
    assert rates.wait("a", 60, 120) == 0.0
    assert rates.wait("a", 60, 1) == pytest.approx(61.0)
    now[0] += 61.0
    assert rates.wait("a", 60, 1) == 0.0
