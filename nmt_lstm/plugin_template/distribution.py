"""Writing a small distribution with a cell: names, files, nothing half done."""

from __future__ import annotations

import importlib.resources
import keyword
import re
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.registry import CELLS

__all__ = ["write_distribution"]

# Template in the package -> file in the distribution; names are filled in like texts.
FILES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "run.toml.txt": "run.toml",
    "package.py.txt": "src/$package/__init__.py",
    "cell.py.txt": "src/$package/cell.py",
    "test_cell.py.txt": "tests/test_$package.py",
}


def write_distribution(name: str, parent: Path, *, corpus: Path, version: str) -> Path:
    """Write the distribution `name` into a new folder of that name and return it.

    Args:
        name: of the distribution, the cell and the folder, such as "my-cell".
        parent: where the folder is made.
        corpus: folder of the built-in corpus, for the run file.
        version: of nmt-lstm; the distribution asks for this one or later ones of the same major.

    Raises:
        ConfigurationError: the name cannot be one or is taken, or the folder exists.
        ResourceError: the folder cannot be written.
    """
    package = _package_name(name)
    folder = parent / name
    if folder.exists():
        raise ConfigurationError(f"the folder '{folder}' exists already; choose another name, or remove it.")
    words = {
        "name": name,
        "package": package,
        "class_name": "".join(part.capitalize() for part in package.split("_")),
        "corpus": str(corpus),
        "version": ".".join(version.split(".")[:2]),
        "next_major": str(int(version.split(".")[0]) + 1),
    }
    templates = importlib.resources.files("nmt_lstm.plugin_template") / "files"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=parent))
        try:
            for template, target in FILES.items():
                file = draft / Template(target).substitute(words)
                file.parent.mkdir(parents=True, exist_ok=True)
                text = (templates / template).read_text(encoding="utf-8")
                file.write_text(Template(text).substitute(words), encoding="utf-8", newline="\n")
            draft.chmod(0o755)  # mkdtemp's own folders are closed to others
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as problem:
        raise ResourceError(f"'{folder}' cannot be written: {problem.strerror}.") from problem
    return folder


def _package_name(name: str) -> str:
    package = name.lower().replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", name.lower()) or keyword.iskeyword(package):
        raise ConfigurationError(
            f"'{name}' cannot name a plugin: use letters and digits in words joined by '-', such as my-cell."
        )
    if name in CELLS.names():
        raise ConfigurationError(
            f"a cell '{name}' is there already (see 'nmt-lstm plugins'); choose another name."
        )
    if package in sys.stdlib_module_names or package in ("nmt_lstm", "torch", "numpy", "tests"):
        raise ConfigurationError(f"'{name}' would hide the Python package '{package}'; choose another name.")
    return package
