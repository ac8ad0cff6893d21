"""One test for each broken class that a test module lists in BROKEN, as (check, class, expected message)."""

from __future__ import annotations

import pytest

from nmt_lstm.numerics.bf16_trial import bf16_works


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "broken" in metafunc.fixturenames:
        parameters = [
            pytest.param(
                (check, broken_class, message),
                id=f"{check.__name__}-{broken_class.__name__}",
                marks=pytest.mark.needs_bf16 if "bf16" in check.__name__ else (),
            )
            for check, broken_class, message in metafunc.module.BROKEN
        ]
        metafunc.parametrize("broken", parameters)


@pytest.fixture
def bf16_outcome() -> str:
    """The outcome of the check in bf16 for a correct class."""
    return "passed" if bf16_works() else "not checked"
