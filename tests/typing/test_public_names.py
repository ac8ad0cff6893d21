"""The files that a type checker reads use every public name."""

from __future__ import annotations

import ast
from pathlib import Path

import nmt_lstm


def test_every_public_name_is_checked() -> None:
    files = Path(__file__).parent.glob("public_*api.py")
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    imported = {
        alias.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "nmt_lstm"
        for alias in node.names
    }
    assert imported == set(nmt_lstm.__all__)
