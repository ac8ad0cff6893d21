"""Differing leaves are named by their paths, whichever side lacks them."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.config.differences import differences


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 1, "c": [1]}}, []),
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "c": [2]}}, [("a.b", 1, 2), ("a.c", [1], [2])]),
        ({"a": 1, "b": 2}, {"b": 2, "c": 3}, [("a", 1, None), ("c", None, 3)]),
        ({"a": {"b": 1}}, {"a": 1}, [("a", {"b": 1}, 1)]),
    ],
)
def test_every_differing_leaf_is_found(before: Any, after: Any, found: list[Any]) -> None:
    assert list(differences(before, after)) == found
