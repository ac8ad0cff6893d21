"""The cells and attentions of the guide for plugin authors: they hold what the framework relies on, as they stand."""

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
    "MinimalGatedUnit", "Peephole", "LeakyGate", "MinGRU", "ShownGRU", "ResetBefore", "TwoSpeeds", "Scaled"
]  # fmt: skip
ATTENTIONS_OF_GUIDE = ["Sharper", "Tiring"]


@pytest.fixture(scope="module")
def guide(repository: Path):
    """A module of all code in the guide that defines classes."""
    text = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    before = [dict(registry._decorated) for registry in (CELLS, ATTENTIONS)]
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        if re.search(r"class \w+\((\w*Cell|CellWrapper|Attention)\):", block):
            exec(compile(block, MODULE, "exec"), module.__dict__)
    registered = [
        set(registry._decorated) - set(known)
        for registry, known in zip((CELLS, ATTENTIONS), before, strict=True)
    ]
    for registry, known in zip((CELLS, ATTENTIONS), before, strict=True):
        registry._decorated.clear()
        registry._decorated.update(known)
    yield module, registered
    del sys.modules[MODULE]


def test_there_is_an_example_of_each_base(guide) -> None:
    module, (cells, attentions) = guide
    own = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == MODULE
    }
    assert {name for name, part in own.items() if issubclass(part, Cell)} == set(CELLS_OF_GUIDE)
    assert {name for name, part in own.items() if issubclass(part, Attention)} == set(ATTENTIONS_OF_GUIDE)
    bases = {base.__name__ for part in own.values() for base in part.__bases__}
    assert bases == {"GatedCell", "LinearCell", "StepwiseCell", "Cell", "CellWrapper", "Attention"}
    assert {"mgu", "my_min_gru", "reset_before", "two_speeds"} <= cells
    assert attentions == {"sharper", "tiring"}


def run(check, subject) -> None:
    try:
        assert check(subject)
    except DoesNotApply as answer:
        pytest.skip(str(answer))


@pytest.mark.parametrize("check", CELL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CELLS_OF_GUIDE)
def test_a_cell_of_the_guide_holds(guide, name, check) -> None:
    run(check, CellSubject(getattr(guide[0], name)))


@pytest.mark.parametrize("check", ATTENTION_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ATTENTIONS_OF_GUIDE)
def test_an_attention_of_the_guide_holds(guide, name, check) -> None:
    run(check, AttentionSubject(getattr(guide[0], name)))
