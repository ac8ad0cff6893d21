"""The command that installs an optional dependency."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import tomllib
from pathlib import Path

import pytest

from nmt_lstm.extras import install_command


@pytest.fixture
def installed_from(monkeypatch: pytest.MonkeyPatch):
    """Let pip have recorded an origin of the package: the text of its direct_url.json, or none."""

    def install(record: str | None) -> None:
        class Distribution:
            def read_text(self, name: str) -> str | None:
                return record if name == "direct_url.json" else None

        monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Distribution())

    return install


@pytest.mark.parametrize("record", [None, "", "{", "[]", "{}", '{"url": "file:///no/such/tree"}'])
def test_without_a_source_tree_the_package_is_named(installed_from, record) -> None:
    installed_from(record)
    assert install_command("onnx") == "pip install 'nmt-lstm[onnx]'"


def test_a_package_that_is_not_installed_has_no_source_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", fail)
    assert install_command("ja") == "pip install 'nmt-lstm[ja]'"


def test_a_source_tree_provides_the_tested_versions(
    installed_from, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "a tree"
    tree.mkdir()
    installed_from(json.dumps({"url": tree.as_uri(), "dir_info": {}}))
    assert install_command("zstd") == "pip install 'nmt-lstm[zstd]'"
    (tree / "constraints.txt").touch()
    command = shlex.split(install_command("zstd"))
    assert command == ["pip", "install", "-c", f"{tree}/constraints.txt", f"{tree}[zstd]"]
    monkeypatch.chdir(tree)
    assert install_command("zstd") == "pip install -c constraints.txt '.[zstd]'"


def test_every_extra_that_messages_name_exists() -> None:
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert {"onnx", "ja", "tensorboard", "zstd"} <= project["optional-dependencies"].keys()
