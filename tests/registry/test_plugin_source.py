"""Descriptions are read from source files; nothing is imported for them."""

from __future__ import annotations

import sys

import pytest

from nmt_lstm.registry.plugin_source import first_docstring_line


@pytest.fixture
def package(site):
    """A package that re-exports a class and imports in a circle."""
    folder = site / "toy_bows"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .kinds import LongBow as Bow\nfrom .kinds import Circle\n")
    (folder / "kinds.py").write_text(
        'from toy_bows import Circle\nclass LongBow:\n    """A long bow.\n\n    Of yew."""\nclass Plain: ...\n'
    )
    (folder / "broken.py").write_text("class Broken(:\n")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("toy_bows.kinds:LongBow", "A long bow."),
        ("toy_bows:Bow", "A long bow."),
        ("toy_bows.kinds:Plain", ""),
        ("toy_bows:Circle", ""),
        ("toy_bows:Missing", ""),
        ("toy_bows.broken:Broken", ""),
        ("toy_missing:Bow", ""),
    ],
)
@pytest.mark.usefixtures("package")
def test_the_first_line_is_read_without_importing_the_module(target, line):
    assert first_docstring_line(target) == line
    assert "toy_bows" not in sys.modules
