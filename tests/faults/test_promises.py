"""Each promise of SECURITY.md and README.md has its test."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize("page", ["SECURITY.md", "README.md"])
def test_each_promise_names_tests_that_exist(repository, page):
    text = (repository / page).read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) >= 10
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"def {name}(" not in (repository / path).read_text(encoding="utf-8")
    ]
    assert not missing
