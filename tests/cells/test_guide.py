"""The cells, attentions and encoders in the guide for plugin authors pass the conformance checks."""

from __future__ import annotations

import re
import sys
import types
from contextlib import ExitStack
from pathlib import Path

import pytest

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.encoders.encoder import Encoder
from nmt_lstm.registry import REGISTRIES
from nmt_lstm.testing import (
    ATTENTION_CHECKS,
    CELL_CHECKS,
    ENCODER_CHECKS,
    AttentionSubject,
    CellSubject,
    DoesNotApply,
    EncoderSubject,
)

MODULE = "guide_for_plugin_authors"
CELLS_OF_GUIDE = [
    "MinimalGatedUnit", "Peephole", "LeakyGate", "MinGRU", "GatedOutputGRU", "ResetBefore", "TwoSpeeds", "Scaled"
]  # fmt: skip
ATTENTIONS_OF_GUIDE = ["Sharper", "SimpleCoverage"]
ENCODERS_OF_GUIDE = ["Averages"]


@pytest.fixture(scope="module")
def guide(repository: Path):
    """A module with all code of the guide that defines classes, and the names it registers."""
    text = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    with ExitStack() as stack:
        for registry in REGISTRIES:
            stack.enter_context(registry.isolated())
        before = [set(registry.names()) for registry in REGISTRIES]
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            if re.search(r"class \w+\((\w*Cell|CellWrapper|Attention|Encoder)\):", block):
                exec(compile(block, MODULE, "exec"), module.__dict__)
        registered = [
            set(registry.names()) - names for registry, names in zip(REGISTRIES, before, strict=True)
        ]
    yield module, registered
    del sys.modules[MODULE]


def test_the_guide_has_an_example_of_each_base(guide) -> None:
    module, (cells, attentions, encoders) = guide
    own = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == MODULE
    }
    assert {name for name, kind in own.items() if issubclass(kind, Cell)} == set(CELLS_OF_GUIDE)
    assert {name for name, kind in own.items() if issubclass(kind, Attention)} == set(ATTENTIONS_OF_GUIDE)
    assert {name for name, kind in own.items() if issubclass(kind, Encoder)} == set(ENCODERS_OF_GUIDE)
    bases = {base.__name__ for kind in own.values() for base in kind.__bases__}
    assert bases == {"GatedCell", "LinearCell", "StepwiseCell", "Cell", "CellWrapper", "Attention", "Encoder"}
    assert {"mgu", "my_min_gru", "reset_before", "two_speeds"} <= cells
    assert attentions == {"sharper", "simple_coverage"}
    assert encoders == {"averages"}


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


@pytest.mark.parametrize("check", ENCODER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ENCODERS_OF_GUIDE)
def test_an_encoder_of_the_guide_passes_its_checks(guide, name, check) -> None:
    run_check(check, EncoderSubject(getattr(guide[0], name)))
