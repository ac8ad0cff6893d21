"""One test for each broken part that a test module lists in BROKEN, as (check, part, expected message)."""

from __future__ import annotations

import pytest

from nmt_lstm.numerics.bf16_trial import bf16_works


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "broken" in metafunc.fixturenames:
        listed = [
            pytest.param(
                (check, part, message),
                id=f"{check.__name__}-{part.__name__}",
                marks=pytest.mark.needs_bf16 if "bf16" in check.__name__ else (),
            )
            for check, part, message in metafunc.module.BROKEN
        ]
        metafunc.parametrize("broken", listed)


@pytest.fixture
def bf16_outcome() -> str:
    """What becomes of the check in bf16 of a part that holds."""
    return "passed" if bf16_works() else "not checked"
