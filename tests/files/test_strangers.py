"""Files of others are named, a few of them, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.files.strangers import strangers_in


def test_names_that_are_not_ours_are_shown_in_order(tmp_path: Path) -> None:
    assert strangers_in(tmp_path) == strangers_in(tmp_path / "none") == ""
    for name in ("c", ".lock", "b"):
        (tmp_path / name).touch()
    assert strangers_in(tmp_path) == ".lock, b, c"
    assert strangers_in(tmp_path, lambda name: name.startswith(".")) == "b, c"
    assert strangers_in(tmp_path, lambda _: True) == ""


def test_many_names_are_cut_short(tmp_path: Path) -> None:
    for name in "edcba":
        (tmp_path / name).mkdir()
    assert strangers_in(tmp_path) == "a, b, c ..."
