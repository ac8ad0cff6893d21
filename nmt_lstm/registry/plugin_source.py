"""Finding a class's description in its source file, without importing the plugin."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

__all__ = ["first_docstring_line", "source_file"]


def source_file(module: str) -> Path | None:
    """Return the file of a module by walking from its top-level package, which is found but not imported."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and Path(spec.origin).is_file() else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *rest)
        for candidate in (path.with_name(path.name + ".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def first_docstring_line(target: str) -> str:
    """Return the first line of the docstring of ``package.module:Class``, or an empty string."""
    module, _, name = target.partition(":")
    for _ in range(8):  # re-exports are followed, but not in circles
        path = source_file(module)
        if path is None:
            return ""
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return ""
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return (ast.get_docstring(node) or "").partition("\n")[0].strip()
        moved = _reexport(tree, module, path, name)
        if moved is None:
            return ""
        module, name = moved
    return ""


def _reexport(tree: ast.Module, module: str, path: Path, name: str) -> tuple[str, str] | None:
    """Return where ``from x import name`` of this module takes the name from."""
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                parts = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
                base = parts[: len(parts) - node.level + 1] if node.level else []
                return ".".join([*base, *(node.module.split(".") if node.module else [])]), alias.name
    return None
