"""Rules of the source tree: short files, meaningful names, an opening sentence, and versions that agree."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nmt_lstm

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES = 350
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "shared", "stuff", "tools"}
FOLDERS = ("nmt_lstm", "plugins", "benchmarks", "data", "docs", "tests")


def sources(*folders: str) -> list[Path]:
    """All Python files under the named folders of the repository that belong to it."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if not {"build", "raw", "runs", "prepared", ".venv"} & set(path.parts)]


def test_the_rules_are_applied_to_the_sources() -> None:
    assert ROOT / "nmt_lstm" / "errors.py" in sources("nmt_lstm")


@pytest.mark.parametrize("path", sources(*FOLDERS), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_opens_with_its_purpose(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert not {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} & EMPTY_NAMES
    assert ast.get_docstring(ast.parse(text)), (
        "the module does not open with a sentence saying what it is for"
    )


def test_every_package_folder_is_a_package() -> None:
    folders = {path.parent for path in sources("nmt_lstm")} - {ROOT / "nmt_lstm" / "corpora"}
    missing = [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]
    assert not missing


def test_public_names_are_those_listed() -> None:
    for name in nmt_lstm.__all__:
        assert getattr(nmt_lstm, name) is not None
    assert set(nmt_lstm.__all__) <= set(dir(nmt_lstm))


def test_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Translatro'"):
        nmt_lstm.Translatro  # noqa: B018


def test_type_checkers_see_the_same_public_names() -> None:
    tree = ast.parse((ROOT / "nmt_lstm" / "__init__.py").read_text(encoding="utf-8"))
    modules = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert modules == nmt_lstm._MODULE_OF_NAME


def heavy_modules_after(statement: str) -> set[str]:
    """Which of the heavy libraries a fresh interpreter has loaded after `statement`."""
    script = (
        f"{statement}\nimport sys\nprint(*({{'torch', 'numpy', 'pydantic', 'typer'}} & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(finished.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert heavy_modules_after("import nmt_lstm") == set()


def test_the_check_above_can_fail() -> None:
    assert "pydantic" in heavy_modules_after("import nmt_lstm; nmt_lstm.RunSettings")


def test_the_changelog_and_the_package_have_one_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == nmt_lstm.__version__
    assert importlib.metadata.version("nmt-lstm") == nmt_lstm.__version__


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    needed = {re.split(r"[\[<>=;]", name)[0] for name in [*project["dependencies"], *extras]} - {"nmt-lstm"}
    for file in ("constraints.txt",):
        pinned = {
            line.split("==")[0].lower() for line in (ROOT / file).read_text().splitlines() if "==" in line
        }
        assert needed <= pinned
    oldest = (ROOT / "constraints-oldest.txt").read_text().splitlines()
    for requirement in project["dependencies"]:
        name, lowest = re.match(r"([a-z-]+)>=([\d.]+)", requirement).groups()
        pin = next(line for line in oldest if line.startswith(f"{name}=="))
        assert pin.removeprefix(f"{name}==").startswith(lowest)


def test_tox_tests_every_plugin() -> None:
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    for project in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        assert f"plugins/{project.parent.name}" in tox


@pytest.mark.skipif(
    "NMT_LSTM_TEST_INSTALLED" not in os.environ, reason="only where tox has installed the wheel"
)
def test_the_tested_package_is_the_installed_wheel() -> None:
    assert not Path(nmt_lstm.__file__).is_relative_to(ROOT / "nmt_lstm")
    assert Path(nmt_lstm.__file__).with_name("py.typed").is_file()
