"""The commands that a training names."""

from __future__ import annotations

import pytest

from nmt_lstm.training.output_folder import resume_command


@pytest.mark.parametrize(
    ("typed", "time_limit", "expected"),
    [
        (["train", "a b", "-o", "c"], "", "nmt-lstm train 'a b' -o c --resume"),
        (["train", "--resume", "a"], "", "nmt-lstm train a --resume"),
        (
            ["quickstart", "--time-limit", "1m", "-o", "c"],
            "5m",
            "nmt-lstm quickstart -o c --resume --time-limit 5m",
        ),
        (["quickstart", "--time-limit=1m", "--resume"], "5m", "nmt-lstm quickstart --resume --time-limit 5m"),
        (["quickstart", "--time-limit=1m"], "", "nmt-lstm quickstart --time-limit=1m --resume"),
    ],
)
def test_the_command_to_resume_is_the_one_typed(typed, time_limit, expected) -> None:
    assert resume_command(["/usr/bin/nmt-lstm", *typed], time_limit=time_limit) == expected
