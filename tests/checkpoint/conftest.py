"""A model folder that a test may damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.files.checksums import checked_json, parse_checked


@pytest.fixture
def folder(random_model_folder: Path, tmp_path: Path) -> Path:
    """A copy of a model folder that a test may damage."""
    return Path(shutil.copytree(random_model_folder, tmp_path / "model"))


@pytest.fixture
def edit_manifest(folder: Path) -> Callable[..., None]:
    """A function that replaces values of the manifest and its checksum."""

    def edit(**values: Any) -> None:
        path = folder / "manifest.json"
        path.write_text(checked_json({**parse_checked(path.read_text()), **values}))

    return edit
