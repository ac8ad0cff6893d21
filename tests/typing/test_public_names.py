"""The file that a type checker reads uses every public name."""

from __future__ import annotations

import ast
from pathlib import Path

import nmt_lstm


def test_every_public_name_is_checked() -> None:
    tree = ast.parse((Path(__file__).with_name("public_api.py")).read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "nmt_lstm"
        for alias in node.names
    }
    assert imported == set(nmt_lstm.__all__)
