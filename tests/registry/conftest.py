"""A registry of stand-in distributions, so that these tests need neither torch nor installed packages."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nmt_lstm.registry import Registry

Install = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of distributions on the module path; modules imported from it are removed afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "toy_base.py").write_text(
        "class Part:\n    def __init__(self, size, *, bias: bool = True): ...\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """A function that installs a distribution with one module and its entry points."""

    def install(
        name: str, source: str, points: dict[str, str], version: str = "1.0", group: str = "toy.parts.v1"
    ) -> Path:
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = "".join(f"{key} = {target}\n" for key, target in points.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
        importlib.invalidate_caches()
        return info

    return install


@pytest.fixture
def registry(site: Path) -> Registry:
    """A registry of the stand-in kind."""
    return Registry(kind="part", group="toy.parts.v1", base="toy_base:Part", sizes=("size",))


KNOT = '''
    """Toy parts."""
    from typing import Literal
    from toy_base import Part
    class Knot(Part):
        """A knot in a string.

        Further details.
        """
        def __init__(self, size: int, *, turns: int = 1, slack: float = 0.5,
                     kind: Literal["reef", "bowline"] = "reef") -> None:
            if turns > 9:
                raise ValueError("turns must be at most 9")
            self.size, self.turns, self.slack, self.kind = size, turns, slack, kind
'''


@pytest.fixture
def knot_source() -> str:
    """The source of a module with a part that has options of several types."""
    return KNOT


@pytest.fixture
def knot(install: Install) -> str:
    """The name of that part, installed by a distribution."""
    install("toy-knot", KNOT, {"knot": "toy_knot:Knot"}, version="2.1")
    return "knot"
