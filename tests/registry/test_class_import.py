"""Classes are imported by their names, and errors say which name is wrong and where to correct it."""

from __future__ import annotations

import textwrap

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import CELLS


def test_a_class_is_loaded_by_module_and_name(registry, knot):
    assert registry.get("toy_knot:Knot").__name__ == "Knot"
    with pytest.raises(PluginError, match="no attribute 'Bow'"):
        registry.get("toy_knot:Bow")
    with pytest.raises(PluginError, match="no module named 'no_such_module'"):
        registry.get("no_such_module:Bow")
    with pytest.raises(PluginError, match="'toy_knot:' does not name a class"):
        registry.get("toy_knot:")


def test_the_error_of_a_missing_dependency_names_distribution_and_module(registry, install):
    install("toy-needy", "import module_that_is_not_there\n", {"needy": "toy_needy:Needy"})
    with pytest.raises(PluginError, match=r"toy-needy 1.0.*'module_that_is_not_there'"):
        registry.get("needy")


def test_the_error_of_a_failing_module_names_the_distribution_and_the_failure(registry, install):
    install("toy-bad", "1 / 0\n", {"bad": "toy_bad:Bad"})
    with pytest.raises(PluginError, match=r"toy-bad 1.0.*ZeroDivisionError"):
        registry.get("bad")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("toy_wrong", ("does not name a class",)),
        ("toy_wrong:Knott", ("no attribute 'Knott'",)),
        ("toy_wrogn:Knot", ("no module named 'toy_wrogn'",)),
        ("toy_wrong:Other", ("not a subclass",)),
    ],
)
def test_the_error_of_a_wrong_entry_point_says_where_to_correct_it(
    registry, knot_source, install, target, words
):
    install("toy-wrong", f"{textwrap.dedent(knot_source)}\nclass Other: ...\n", {"wrong": target})
    with pytest.raises(PluginError) as caught:
        registry.get("wrong")
    message = str(caught.value)
    assert all(
        word in message
        for word in (
            *words,
            "part 'wrong' (toy-wrong 1.0)",
            f'wrong = "{target}"',
            "toy.parts.v1",
            "pyproject.toml",
        )
    )


def test_a_missing_dependency_is_not_blamed_on_the_entry_point(registry, install):
    install("toy-poor", "import module_that_is_not_there\n", {"poor": "toy_poor:Poor"})
    with pytest.raises(PluginError, match="toy-poor requires it") as caught:
        registry.get("poor")
    assert "pyproject" not in str(caught.value)


def test_a_file_instead_of_a_module_is_answered_with_both_alternatives() -> None:
    with pytest.raises(PluginError, match=r"my_cells:MyCell.*--plugin my_cells\.py"):
        CELLS.get("my_cells.py:MyCell")
    with pytest.raises(PluginError, match="PYTHONPATH"):
        CELLS.get("no_such_cells:MyCell")
