"""Speeds of products: numbers for what there is, none for bf16 where it does not work, and nothing left behind."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics import speeds
from nmt_lstm.numerics.speeds import PRODUCT, measured_speeds


@pytest.fixture
def products(monkeypatch):
    """Stand in for the products, which then take as long as this says, in the order float32, bf16, int8."""
    taken = {torch.float32: 2e-3, torch.bfloat16: 1e-3}
    threads = []

    def seconds(product, given):
        threads.append(torch.get_num_threads())
        assert product(given).shape == (PRODUCT[0], PRODUCT[2])
        return taken[given.dtype] if len(threads) < 2 + speeds.bf16_works() else 4e-3

    monkeypatch.setattr(speeds, "_seconds", seconds)
    return threads


@pytest.mark.parametrize("works", [True, False])
def test_speeds_are_multiples_of_that_of_float32(monkeypatch, products, works) -> None:
    monkeypatch.setattr(speeds, "bf16_works", lambda: works)
    measured = measured_speeds()
    assert measured.float32 == pytest.approx(2 * 64 * 512 * 2048 / 2e-3)
    assert measured.bf16 == (pytest.approx(2.0) if works else None)
    assert measured.int8 == pytest.approx(0.5)


def test_one_thread_is_measured_and_all_are_given_back(monkeypatch, products) -> None:
    monkeypatch.setattr(speeds, "bf16_works", lambda: False)
    given = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            measured_speeds()
        assert products == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(given)


def test_the_time_of_a_product_is_its_shortest(monkeypatch) -> None:
    ticks = iter([0.0, 0.03, 1.0, 1.02, 2.0, 2.04])
    monkeypatch.setattr(speeds.time, "perf_counter", lambda: next(ticks))
    calls = []
    assert speeds._seconds(calls.append, torch.zeros(1)) == pytest.approx(0.02)
    assert len(calls) == 3
