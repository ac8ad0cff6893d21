"""The cells of the guide for plugin authors: they run, and take sequences as they take steps."""

from __future__ import annotations

import re

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.registry import CELLS


@pytest.fixture(scope="module")
def guide_cells(repository) -> dict[str, type[Cell]]:
    """All cells that the guide's code defines, by name."""
    text = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    found: dict[str, type[Cell]] = {}
    before = set(CELLS._decorated)
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        if "(GatedCell)" in block or "(StepwiseCell)" in block:
            names: dict[str, object] = {"__name__": "guide"}
            exec(block, names)
            own = {
                name: value for name, value in names.items() if getattr(value, "__module__", "") == "guide"
            }
            found |= {name: value for name, value in own.items() if isinstance(value, type)}
    for name in set(CELLS._decorated) - before:
        del CELLS._decorated[name]
    return found


def test_there_are_those_of_each_base(guide_cells) -> None:
    assert set(guide_cells) == {"MinimalGatedUnit", "Peephole", "MinGRU", "ResetBefore"}


@pytest.mark.parametrize("name", ["MinimalGatedUnit", "Peephole", "MinGRU", "ResetBefore"])
def test_a_cell_of_the_guide_takes_sequences_as_it_takes_steps(guide_cells, name) -> None:
    torch.manual_seed(1)
    cell = guide_cells[name](3, 4)
    inputs = torch.randn(2, 6, 3)
    outputs, _ = cell(inputs, cell.initial_state(2))
    expected, _ = Cell.forward(cell, inputs, cell.initial_state(2))
    torch.testing.assert_close(outputs, expected)
    for seen, wanted in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters()), allow_unused=True),
        torch.autograd.grad(expected.square().sum(), list(cell.parameters()), allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(seen, wanted)
