"""The cells and attentions in the guide for plugin authors pass the conformance checks."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.registry import ATTENTIONS, CELLS
from nmt_lstm.testing import ATTENTION_CHECKS, CELL_CHECKS, AttentionSubject, CellSubject, DoesNotApply

MODULE = "guide_for_plugin_authors"
CELLS_OF_GUIDE = [
    "MinimalGatedUnit", "Peephole", "LeakyGate", "MinGRU", "GatedOutputGRU", "ResetBefore", "TwoSpeeds", "Scaled"
]  # fmt: skip
ATTENTIONS_OF_GUIDE = ["Sharper", "SimpleCoverage"]


@pytest.fixture(scope="module")
def guide(repository: Path):
    """A module with all code of the guide that defines classes, and the names it registers."""
    text = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    with CELLS.isolated(), ATTENTIONS.isolated():
        before = [set(registry.names()) for registry in (CELLS, ATTENTIONS)]
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            if re.search(r"class \w+\((\w*Cell|CellWrapper|Attention)\):", block):
                exec(compile(block, MODULE, "exec"), module.__dict__)
        registered = [
            set(registry.names()) - names for registry, names in zip((CELLS, ATTENTIONS), before, strict=True)
        ]
    yield module, registered
    del sys.modules[MODULE]


def test_the_guide_has_an_example_of_each_base(guide) -> None:
    module, (cells, attentions) = guide
    own = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == MODULE
    }
    assert {name for name, kind in own.items() if issubclass(kind, Cell)} == set(CELLS_OF_GUIDE)
    assert {name for name, kind in own.items() if issubclass(kind, Attention)} == set(ATTENTIONS_OF_GUIDE)
    bases = {base.__name__ for kind in own.values() for base in kind.__bases__}
    assert bases == {"GatedCell", "LinearCell", "StepwiseCell", "Cell", "CellWrapper", "Attention"}
    assert {"mgu", "my_min_gru", "reset_before", "two_speeds"} <= cells
    assert attentions == {"sharper", "simple_coverage"}


def run_check(check, subject) -> None:
    try:
        assert check(subject)
    except DoesNotApply as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("check", CELL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CELLS_OF_GUIDE)
def test_a_cell_of_the_guide_passes_its_checks(guide, name, check) -> None:
    run_check(check, CellSubject(getattr(guide[0], name)))


@pytest.mark.parametrize("check", ATTENTION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ATTENTIONS_OF_GUIDE)
def test_an_attention_of_the_guide_passes_its_checks(guide, name, check) -> None:
    run_check(check, AttentionSubject(getattr(guide[0], name)))
