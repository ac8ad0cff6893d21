"""Model folders may import the files of installed distributions, which are identified without running them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nmt_lstm.errors import UntrustedPluginError
from nmt_lstm.registry import provenance
from nmt_lstm.registry.provenance import is_installed, module_files, named_by, trust_folder

RAN = "import builtins\nbuiltins.ran_by_provenance_test = True\n"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder; trust in it ends with the test."""
    monkeypatch.setattr(provenance, "_trusted", set())
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def dist_info(folder: Path, name: str, record: list[str] | None, **files: str) -> Path:
    """Write the metadata of a distribution into `folder`."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    for file, text in files.items():
        (info / f"{file}.txt").write_text(text)
    if record is not None:
        (info / "RECORD").write_text("".join(f"{line},,\n" for line in record))
    return info


def package(root: Path, *files: str) -> None:
    """Write Python files that leave a mark when they are run."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(RAN)


@pytest.fixture(autouse=True)
def nothing_is_run(monkeypatch):
    """Check that no file of these tests is run."""
    import builtins

    monkeypatch.setattr(builtins, "ran_by_provenance_test", False, raising=False)
    yield
    assert builtins.ran_by_provenance_test is False


def test_recorded_files_belong_to_their_distribution(site, model):
    package(site, "toy_in/__init__.py", "toy_in/cells.py", "toy_in/other.py", "toy_out.py")
    dist_info(site, "toy-in", ["toy_in/__init__.py", "toy_in/cells.py"])
    assert is_installed("toy_in.cells:Cell", model)
    assert not is_installed("toy_in.other:Cell", model), (
        "it is in the package's folder, but was not installed"
    )
    assert not is_installed("toy_out:Cell", model)
    assert not is_installed("toy_missing:Cell", model)
    assert [file.name for file in module_files("toy_in.cells")] == ["__init__.py", "cells.py"]


def test_metadata_in_the_working_directory_or_the_model_folder_is_ignored(site, model, monkeypatch):
    package(site, "toy_here.py")
    dist_info(site, "toy-here", ["toy_here.py"])
    assert is_installed("toy_here:Cell", model)
    assert not is_installed("toy_here:Cell", site.parent)
    monkeypatch.chdir(site)
    assert not is_installed("toy_here:Cell", model)


def test_editable_sources_are_found_by_their_path_file(site, model, tmp_path, monkeypatch):
    source = tmp_path / "project" / "src"
    package(source, "toy_edit/__init__.py", "toy_edit/cells.py", "runs/evil/toy_evil.py")
    dist_info(site, "toy-edit", ["__editable__.toy_edit.pth"])
    (site / "__editable__.toy_edit.pth").write_text(f"{source}\nimport this_line_is_code\n")
    monkeypatch.syspath_prepend(str(source))
    monkeypatch.syspath_prepend(str(source / "runs" / "evil"))
    assert is_installed("toy_edit.cells:Cell", model)
    assert not is_installed("toy_evil:Cell", model), "below the sources, but not where the path leads"


def test_editable_sources_are_found_by_the_finder_of_setuptools(site, model, tmp_path, monkeypatch):
    source = tmp_path / "project"
    package(source, "toy_mapped/__init__.py", "toy_beside.py")
    finder = "__editable___toy_mapped_1_0_finder.py"
    dist_info(site, "toy-mapped", [finder])
    (site / finder).write_text(
        f"MAPPING: dict[str, str] = {{'toy_mapped': {str(source / 'toy_mapped')!r}}}\n{RAN}"
    )
    monkeypatch.syspath_prepend(str(source))
    assert is_installed("toy_mapped:Cell", model)
    assert not is_installed("toy_beside:Cell", model)


def test_without_a_record_the_list_of_packages_is_used(site, model):
    package(site, "toy_listed/__init__.py", "toy_unlisted.py")
    dist_info(site, "toy-listed", None, top_level="toy_listed\n")
    assert is_installed("toy_listed:Cell", model)
    assert not is_installed("toy_unlisted:Cell", model)


def test_a_registry_imports_only_installed_classes_for_a_folder(registry, install, site, model):
    install("toy-good", "from toy_base import Part\nclass Good(Part): ...\n", {"good": "toy_good:Good"})
    with (site / "toy_good-1.0.dist-info" / "RECORD").open("w") as record:
        record.write("toy_good.py,,\n")
    package(site, "toy_evil.py")
    with named_by(model):
        assert registry.get("good").__name__ == "Good"
        assert registry.get("toy_good:Good").__name__ == "Good"
        with pytest.raises(UntrustedPluginError, match="trust") as caught:
            registry.get("toy_evil:Cell")
    assert caught.value.target == "toy_evil:Cell"
    assert caught.value.file == site / "toy_evil.py"
    assert "toy_evil" not in sys.modules


def test_an_entry_point_without_installed_files_is_refused(registry, install, site, model, monkeypatch):
    info = install("toy-near", RAN, {"near": "toy_near:Near"})
    (info / "top_level.txt").write_text("toy_near\n")
    assert is_installed("toy_near:Near", model)
    monkeypatch.chdir(site)
    with named_by(model), pytest.raises(UntrustedPluginError) as caught:
        registry.build("near", 3)
    assert caught.value.target == "toy_near:Near"


def test_classes_that_are_imported_named_by_the_user_or_trusted_are_loaded(registry, site, model):
    (site / "toy_mine.py").write_text("from toy_base import Part\nclass Mine(Part): ...\n")
    assert registry.get("toy_mine:Mine").__name__ == "Mine"
    with named_by(model):
        assert registry.get("toy_mine:Mine").__name__ == "Mine"
    del sys.modules["toy_mine"]
    trust_folder(model)
    with named_by(model):
        assert registry.get("toy_mine:Mine").__name__ == "Mine"
