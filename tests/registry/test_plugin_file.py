"""Plugin files and folders are run as modules of their own, and failures are described with advice."""

from __future__ import annotations

import importlib.util
import py_compile
import sys

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import CELLS, Registry, load_plugin_file, plugin_contents
from nmt_lstm.registry.plugin_file import load_plugin_module

PART = """
from nmt_lstm.registry import Registry
import toy_base
{imports}
@Registry.shared.register("{name}")
class Mine(toy_base.Part):
    '''{docstring}'''
"""


@pytest.fixture
def shared(registry, monkeypatch):
    """The registry of the test, where plugin files find it."""
    monkeypatch.setattr(Registry, "shared", registry, raising=False)
    return registry


def test_a_folder_is_a_package_with_relative_imports(shared, tmp_path):
    folder = tmp_path / "my_part"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("from .part import Mine\n")
    (folder / "part.py").write_text(
        PART.format(imports="from .inner.words import TEXT", name="mine", docstring="Mine.")
    )
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "words.py").write_text("TEXT = 'first'\n")
    (entry,) = load_plugin_module(folder, (shared,))
    assert (entry.name, entry.origin) == ("mine", str(folder / "part.py"))
    contents = shared.plugin_contents("mine")
    assert contents.is_package
    assert sorted(contents.files) == ["__init__.py", "inner/__init__.py", "inner/words.py", "part.py"]
    # When it is loaded again, all of its modules are run again.
    (folder / "inner" / "words.py").write_text("TEXT = 'second'\n")
    load_plugin_module(folder, (shared,))
    words = sys.modules[f"{shared.get('mine').__module__.partition('.')[0]}.inner.words"]
    assert words.TEXT == "second"
    assert "'inner/words.py', line 1" in shared.plugin_contents("mine").difference(contents)


def test_a_file_with_the_name_of_an_installed_part_is_refused(shared, install, tmp_path):
    install("toy-knot", "from toy_base import Part\nclass Knot(Part): ...\n", {"knot": "toy_knot:Knot"})
    file = tmp_path / "mine.py"
    file.write_text(PART.format(imports="", name="knot", docstring="Mine."))
    load_plugin_module(file, (shared,))
    with pytest.raises(PluginError, match=r"toy-knot 1\.0") as caught:
        shared.get("knot")
    assert f"in {file}, give it a different name" in str(caught.value)


def test_the_contents_are_those_that_were_run(shared, tmp_path):
    file = tmp_path / "mine.py"
    text = PART.format(imports="", name="mine", docstring="Mine.")
    file.write_text(text)
    load_plugin_module(file, (shared,))
    file.write_text(text + "x = 1\n")
    assert shared.plugin_contents("mine").files == {"mine.py": text.encode()}


def test_a_bytecode_cache_beside_the_file_is_not_run(shared, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(PART.format(imports="", name="hidden", docstring="Hidden."))
    py_compile.compile(
        str(file),
        importlib.util.cache_from_source(str(file)),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    file.write_text(PART.format(imports="", name="shown", docstring="Shown."))
    load_plugin_module(file, (shared,))
    assert shared.names() == ["shown"]


@pytest.mark.parametrize(
    ("imports", "words"),
    [
        ("from toy_beside import x", ("toy_beside", "folder", "from .toy_beside import")),
        ("from .toy_beside import x", ("relative import", "folder")),
        ("from toy_nowhere import x", ("line 4", "toy_nowhere")),
    ],
)
def test_a_file_that_imports_a_module_beside_it_is_advised_to_become_a_folder(
    shared, tmp_path, imports, words
):
    (tmp_path / "mine.py").write_text(PART.format(imports=imports, name="mine", docstring="Mine."))
    (tmp_path / "toy_beside.py").write_text("x = 1\n")
    before = set(sys.modules)
    with pytest.raises(PluginError) as caught:
        load_plugin_module(tmp_path / "mine.py", (shared,))
    assert all(word in str(caught.value) for word in words)
    assert ("--plugin" in str(caught.value)) == ("beside" in imports)
    new = set(sys.modules) - before
    assert not [module for module in new if module.startswith(plugin_contents.PLUGIN_MODULE)]


def test_an_absolute_import_inside_a_folder_is_advised_to_become_relative(shared, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("from toy_words import x\n")
    (folder / "toy_words.py").write_text("x = 1\n")
    with pytest.raises(PluginError, match=r"from \.toy_words import"):
        load_plugin_module(folder, (shared,))


def test_a_failure_in_a_folder_names_the_file_and_the_line(shared, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import part\n")
    (folder / "part.py").write_text("x = 1\ny = 1 / 0\n")
    with pytest.raises(PluginError, match=r"'part.py', line 2: ZeroDivisionError"):
        load_plugin_module(folder, (shared,))


GATES = """
from nmt_lstm import CELLS, GatedCell

@CELLS.register("mistaken")
class Mistaken(GatedCell):
    gates = ("candidate")
"""


def test_an_error_in_a_class_definition_is_reported_with_its_line(tmp_path):
    (tmp_path / "mine.py").write_text(GATES)
    with pytest.raises(PluginError, match="line 5: TypeError"):
        load_plugin_file(str(tmp_path / "mine.py"))
    assert "mistaken" not in CELLS.names()
