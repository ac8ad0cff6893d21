"""Authors of plugins import only public names, each of which is listed for authors and documented."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import nmt_lstm
import nmt_lstm.testing

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "plugins.md"
# An import from a module other than nmt_lstm and nmt_lstm.testing, in a program or in the code of a page.
DEEP_IMPORT = re.compile(r"^\s*(?:from|import) nmt_lstm\.(?!testing(?: import\b|$))[\w.]+", re.MULTILINE)
# Such a module in the words of a hint; entry points have names of this form as well.
DEEP_NAME = re.compile(r"nmt_lstm\.(?!testing\b|cells\.v1|attentions\.v1|encoders\.v1)\w+\.\w+")
WRITTEN_FOR_AUTHORS = [
    GUIDE,
    ROOT / "docs" / "python.md",
    *sorted((ROOT / "nmt_lstm" / "plugin_template" / "files").iterdir()),
    *sorted(path for ending in ("py", "md") for path in (ROOT / "plugins").rglob(f"*.{ending}")),
]
HINTS = sorted((ROOT / "nmt_lstm" / "testing").glob("*.py"))


def deep_imports(text: str) -> list[str]:
    """The imports in a text that are not of public names."""
    return [line.strip() for line in DEEP_IMPORT.findall(text)]


def deep_names_in_strings(text: str) -> list[str]:
    """The deep names in a program's strings, except in its docstrings."""
    tree = ast.parse(text)
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # docstrings are expressions whose values are not used
    return [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        for name in DEEP_NAME.findall(node.value)
    ]


@pytest.mark.parametrize("path", WRITTEN_FOR_AUTHORS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_for_authors_import_public_names(path) -> None:
    assert deep_imports(path.read_text(encoding="utf-8")) == []


def test_files_of_each_kind_are_checked() -> None:
    kinds = {(path.relative_to(ROOT).parts[0], path.suffix) for path in WRITTEN_FOR_AUTHORS}
    assert {("docs", ".md"), ("plugins", ".py"), ("plugins", ".md"), ("nmt_lstm", ".txt")} <= kinds


@pytest.mark.parametrize("path", HINTS, ids=lambda path: path.name)
def test_hints_of_the_conformance_kit_name_public_names(path) -> None:
    assert deep_names_in_strings(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from nmt_lstm.cells.cell import Cell",
        "    import nmt_lstm.registry",
        "from nmt_lstm.errors import PluginError",
        "from nmt_lstm.testing.subject import CellSubject",
    ],
)
def test_a_deep_import_is_detected(line) -> None:
    assert deep_imports(f"import torch\n{line}\n")


@pytest.mark.parametrize(
    "line",
    ["from nmt_lstm import Cell", "import nmt_lstm", "import nmt_lstm.testing", "from nmt_lstm.testing import x",
     "from nmt_lstm_wrappers.wrapper import Wrapper"],
)  # fmt: skip
def test_a_public_import_is_accepted(line) -> None:
    assert not deep_imports(f"{line}\n")


def test_a_deep_name_in_a_hint_is_found() -> None:
    assert (
        deep_names_in_strings('"""See `nmt_lstm.cells.cell`."""\nhint = f"Use nmt_lstm.cells.{1}x.y"') == []
    )
    assert deep_names_in_strings('hint = "Begin with nmt_lstm.cells.cell.check_sequence."')


def listed() -> list[tuple[str, str]]:
    """Each name of the guide's table, with the module that it is imported from."""
    table = (
        GUIDE.read_text(encoding="utf-8").partition("## What an author imports\n")[2].partition("\n## ")[0]
    )
    names_and_modules: list[tuple[str, str]] = []
    for names, purpose in re.findall(r"^\| (`.*?) \| (.*) \|$", table, re.MULTILINE):
        module = "nmt_lstm.testing" if purpose.startswith("from `nmt_lstm.testing`") else "nmt_lstm"
        names_and_modules += [(name, module) for name in re.findall(r"`(\w+)`", names)]
    return names_and_modules


@pytest.mark.parametrize(("name", "module"), listed())
def test_a_listed_name_is_public_and_documented(name, module) -> None:
    home = {"nmt_lstm": nmt_lstm, "nmt_lstm.testing": nmt_lstm.testing}[module]
    assert name in home.__all__
    value = getattr(home, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def imported(text: str) -> set[tuple[str, str]]:
    """The public names that a program imports, each with its module."""
    return {
        (alias.name, node.module)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module in ("nmt_lstm", "nmt_lstm.testing")
        for alias in node.names
    }


def test_every_name_that_plugins_import_is_listed() -> None:
    names = {
        name
        for path in WRITTEN_FOR_AUTHORS
        if path.suffix == ".py"
        for name in imported(path.read_text(encoding="utf-8"))
    }
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        names |= imported(block)
    assert {("GatedCell", "nmt_lstm"), ("CELL_CHECKS", "nmt_lstm.testing")} <= names
    assert names <= set(listed())
    assert {(name, "nmt_lstm.testing") for name in nmt_lstm.testing.__all__} <= set(listed())


@pytest.mark.parametrize(
    "name",
    ["linear", "sequence_linear", "batched_product", "masked_softmax", "linear_recurrence", "check_sequence"],
)
def test_functions_of_tensors_give_shapes(name) -> None:
    assert re.search(r"\(\.*\w*, ?\w+", inspect.getdoc(getattr(nmt_lstm, name)) or "")
