"""The cores that a scheduler lends count, not those of the machine."""

from __future__ import annotations

import pytest

from nmt_lstm.numerics.cores import usable_cores


def test_only_the_cores_lent_to_this_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {2, 7, 11}, raising=False)
    assert usable_cores() == 3


@pytest.mark.parametrize(("machine", "usable"), [(8, 8), (None, 1)])
def test_systems_that_lend_all_cores(
    monkeypatch: pytest.MonkeyPatch, machine: int | None, usable: int
) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: machine)
    assert usable_cores() == usable
