"""How the optional parts of the package are installed: the words to type, with the tested versions where they are known."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = ["install_command"]

DISTRIBUTION = "nmt-lstm"
CONSTRAINTS = "constraints.txt"


def install_command(extra: str) -> str:
    """Return the pip command that installs an extra of `pyproject.toml`, such as "onnx".

    Where the package was installed from a source tree that is still there, the command installs from it, in the versions
    that were tested together.
    """
    tree = _source_tree()
    if tree is None:
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    here = tree == Path.cwd().resolve()
    constraints, package = (CONSTRAINTS, ".") if here else (str(tree / CONSTRAINTS), str(tree))
    return f"pip install -c {shlex.quote(constraints)} {shlex.quote(f'{package}[{extra}]')}"


def _source_tree() -> Path | None:
    """Return the folder that pip installed this package from, as it records by PEP 610; None for an index or a wheel."""
    try:
        recorded = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        address = urlsplit(json.loads(recorded or "{}").get("url", ""))
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
        return None
    tree = Path(url2pathname(address.path))
    is_there = address.scheme == "file" and (tree / CONSTRAINTS).is_file()
    return tree.resolve() if is_there else None
