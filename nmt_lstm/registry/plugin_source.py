"""The description of a class, read from its source file without importing it."""

from __future__ import annotations

import ast
from pathlib import Path

from nmt_lstm.registry.provenance import module_files

__all__ = ["first_docstring_line"]


def first_docstring_line(target: str) -> str:
    """Return the first line of the docstring of ``package.module:Class``, or an empty string."""
    module, _, name = target.partition(":")
    for _ in range(8):  # re-exports are followed, but not forever: they may form a circle
        files = module_files(module)
        if not files:
            return ""
        try:
            tree = ast.parse(files[-1].read_bytes())
        except (OSError, SyntaxError, ValueError):
            return ""
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return (ast.get_docstring(node) or "").partition("\n")[0].strip()
        source = _reexport(tree, module, files[-1], name)
        if source is None:
            return ""
        module, name = source
    return ""


def _reexport(tree: ast.Module, module: str, path: Path, name: str) -> tuple[str, str] | None:
    """Return the module and the name that ``from x import name`` of this module refers to; None if there is none."""
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                parts = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
                base = parts[: len(parts) - node.level + 1] if node.level else []
                return ".".join([*base, *(node.module.split(".") if node.module else [])]), alias.name
    return None
