"""Writing a small distribution with a cell, an attention or an encoder, completely or not at all."""

from __future__ import annotations

import importlib.resources
import keyword
import re
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path
from string import Template

from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS, Registry

__all__ = ["BASES", "try_command", "write_distribution"]

# Base classes, by the names of their templates; a test's template has "test_" before the name.
BASES = ("gated", "linear", "stepwise", "cell", "attention", "encoder")
# Template in the package -> file in the distribution; placeholders in both names are filled in too.
FILES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "run.toml.txt": "run.toml",
    "package.py.txt": "src/$package/__init__.py",
    "$base.py.txt": "src/$package/$kind.py",
    "test_$base.py.txt": "tests/test_$package.py",
}
DEFAULT_CELL, DEFAULT_ATTENTION = "lstm", "bilinear"


def write_distribution(name: str, parent: Path, *, version: str, base: str = "gated") -> Path:
    """Write the distribution `name` into a new folder of that name, and return the folder.

    Args:
        name: name of the distribution, of its cell, attention or encoder, and of the folder, such as "my-cell".
        parent: folder in which the new one is created.
        version: version of nmt-lstm; the distribution requires at least this one, with the same major version.
        base: one of `BASES`.

    Raises:
        ConfigurationError: the name is invalid or in use, or the folder exists.
        ResourceError: the folder cannot be written.
    """
    registry = {"attention": ATTENTIONS, "encoder": ENCODERS}.get(base, CELLS)
    package = _package_name(name, registry)
    folder = parent / name
    if folder.exists():
        raise ConfigurationError(
            f"the folder '{folder}' already exists; choose a different name, or remove it.",
            key="name",
            value=name,
        )
    templates = importlib.resources.files("nmt_lstm.plugin_template") / "files"
    is_cell = registry is CELLS
    words = {
        "name": name,
        "package": package,
        "class_name": "".join(word.capitalize() for word in package.split("_")),
        "base": base,
        "kind": registry.kind,
        "a_kind": "A recurrent cell" if is_cell else f"An {registry.kind}",
        "group": registry.group,
        "setting": "cell" if is_cell else "name",
        "cell": name if is_cell else DEFAULT_CELL,
        "encoder": f'name = "{name}"'
        if base == "encoder"
        else f'cell = "{name if is_cell else DEFAULT_CELL}"\nhidden_size = 256',
        "attention": name if base == "attention" else DEFAULT_ATTENTION,
        "try_it": f"nmt-lstm {try_command(name, base)}",
        "version": ".".join(version.split(".")[:2]),
        "next_major": str(int(version.split(".")[0]) + 1),
    }
    try:
        words["formula"] = _formula((templates / f"{base}.py.txt").read_text(encoding="utf-8"))
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=parent))
        try:
            for template, target in FILES.items():
                file = draft / Template(target).substitute(words)
                file.parent.mkdir(parents=True, exist_ok=True)
                text = (templates / Template(template).substitute(words)).read_text(encoding="utf-8")
                file.write_text(Template(text).substitute(words), encoding="utf-8", newline="\n")
            draft.chmod(0o755)  # mkdtemp makes folders that others cannot read
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as problem:
        raise ResourceError(f"'{folder}' cannot be written: {problem.strerror}.") from problem
    return folder


def try_command(name: str, base: str) -> str:
    """Return the command, without ``nmt-lstm``, that trains with the cell, attention or encoder on the built-in corpus."""
    if base == "attention":
        return f"compare --attentions {DEFAULT_ATTENTION},{name} --seeds 1 -o runs/{name}"
    if base == "encoder":
        return f"compare --vary model.encoder.name=recurrent,{name} --seeds 1 -o runs/{name}"
    return f"quickstart --cell {name} -o runs/{name}"


def _formula(text: str) -> str:
    """Return the equations in the docstring of a template's class."""
    equations = text.partition("Equations::\n")[2].partition("\n    Source:")[0]
    return textwrap.dedent(equations).strip()


def _package_name(name: str, registry: Registry) -> str:
    package = name.lower().replace("-", "_")
    problem = ""
    if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", name.lower()) or keyword.iskeyword(package):
        problem = f"'{name}' cannot name a plugin; use words of letters and digits joined by '-', such as my-{registry.kind}."
    elif name in registry.names():
        problem = (
            f"the {registry.kind} '{name}' already exists (see 'nmt-lstm plugins'); choose a different name."
        )
    elif package in sys.stdlib_module_names or package in ("nmt_lstm", "torch", "numpy", "tests"):
        problem = f"'{name}' would hide the Python package '{package}'; choose a different name."
    if problem:
        raise ConfigurationError(problem, key="name", value=name)
    return package
