"""The command that installs an optional dependency, with the tested versions if they are known."""

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

    If the package was installed from a source tree that still exists, the command installs from that tree, with the
    versions that were tested together.
    """
    tree = _source_tree()
    if tree is None:
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    inside = tree == Path.cwd().resolve()
    constraints, package = (CONSTRAINTS, ".") if inside else (str(tree / CONSTRAINTS), str(tree))
    return f"pip install -c {shlex.quote(constraints)} {shlex.quote(f'{package}[{extra}]')}"


def _source_tree() -> Path | None:
    """Return the folder that pip installed this package from (recorded as PEP 610 says); None for an index or a wheel."""
    try:
        record = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        url = urlsplit(json.loads(record or "{}").get("url", ""))
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
        return None
    tree = Path(url2pathname(url.path))
    return tree.resolve() if url.scheme == "file" and (tree / CONSTRAINTS).is_file() else None
