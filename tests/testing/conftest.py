"""One test for each broken part that a test module lists in BROKEN, as (check, part, expected message)."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "broken" in metafunc.fixturenames:
        listed = metafunc.module.BROKEN
        names = [f"{check.__name__}-{part.__name__}" for check, part, _ in listed]
        metafunc.parametrize("broken", listed, ids=names)
