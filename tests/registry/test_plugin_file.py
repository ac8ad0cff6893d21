"""Plugin files and folders: how they are run, compared, and refused with advice."""

from __future__ import annotations

import importlib.util
import py_compile
import sys

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import CELLS, Registry, load_plugin_file, plugin_contents, read_contents
from nmt_lstm.registry.plugin_file import load_plugin_module

PART = """
from nmt_lstm.registry import Registry
import toy_base
{also}
@Registry.shared.register("{name}")
class Mine(toy_base.Part):
    '''{text}'''
"""


@pytest.fixture
def shared(registry, monkeypatch):
    """This test's registry, where the plugin files find it."""
    monkeypatch.setattr(Registry, "shared", registry, raising=False)
    return registry


def test_a_folder_is_a_package_with_relative_imports(shared, tmp_path):
    folder = tmp_path / "my_part"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("from .part import Mine\n")
    (folder / "part.py").write_text(
        PART.format(also="from .inner.words import TEXT", name="mine", text="Mine.")
    )
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "words.py").write_text("TEXT = 'first'\n")
    (entry,) = load_plugin_module(folder, (shared,))
    assert (entry.name, entry.origin) == ("mine", str(folder / "part.py"))
    contents = shared.plugin_contents("mine")
    assert contents.is_package
    assert sorted(contents.files) == ["__init__.py", "inner/__init__.py", "inner/words.py", "part.py"]
    # Loaded again, every module of it is run again.
    (folder / "inner" / "words.py").write_text("TEXT = 'second'\n")
    load_plugin_module(folder, (shared,))
    words = sys.modules[f"{shared.get('mine').__module__.partition('.')[0]}.inner.words"]
    assert words.TEXT == "second"
    assert "'inner/words.py', line 1" in shared.plugin_contents("mine").difference(contents)


def test_a_file_that_takes_the_name_of_an_installed_part_is_to_use_a_different_one(shared, install, tmp_path):
    install("toy-knot", "from toy_base import Part\nclass Knot(Part): ...\n", {"knot": "toy_knot:Knot"})
    file = tmp_path / "mine.py"
    file.write_text(PART.format(also="", name="knot", text="Mine."))
    load_plugin_module(file, (shared,))
    with pytest.raises(PluginError, match=r"toy-knot 1\.0") as caught:
        shared.get("knot")
    assert f"in {file}, give it a different name in @PARTS.register(...)" in str(caught.value)
    assert "uninstall" not in str(caught.value)


def test_what_is_kept_is_what_was_run(shared, tmp_path):
    file = tmp_path / "mine.py"
    text = PART.format(also="", name="mine", text="Mine.")
    file.write_text(text)
    load_plugin_module(file, (shared,))
    file.write_text(text + "x = 1\n")
    assert shared.plugin_contents("mine").files == {"mine.py": text.encode()}


def test_a_bytecode_cache_beside_the_file_is_not_run(shared, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(PART.format(also="", name="hidden", text="Hidden."))
    py_compile.compile(
        str(file),
        importlib.util.cache_from_source(str(file)),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    file.write_text(PART.format(also="", name="shown", text="Shown."))
    load_plugin_module(file, (shared,))
    assert shared.names() == ["shown"]


@pytest.mark.parametrize(
    ("also", "words"),
    [
        ("from toy_beside import x", ("toy_beside", "folder", "from .toy_beside import")),
        ("from .toy_beside import x", ("relative import", "folder")),
        ("from toy_nowhere import x", ("line 4", "toy_nowhere")),
    ],
)
def test_a_file_that_needs_another_says_how_it_becomes_a_folder(shared, tmp_path, also, words):
    (tmp_path / "mine.py").write_text(PART.format(also=also, name="mine", text="Mine."))
    (tmp_path / "toy_beside.py").write_text("x = 1\n")
    before = set(sys.modules)
    with pytest.raises(PluginError) as caught:
        load_plugin_module(tmp_path / "mine.py", (shared,))
    assert all(word in str(caught.value) for word in words)
    assert ("--plugin" in str(caught.value)) == ("beside" in also)
    new = set(sys.modules) - before
    assert not [module for module in new if module.startswith(plugin_contents.PLUGIN_MODULE)]


def test_a_folder_that_imports_its_module_absolutely_is_told_the_dot(shared, tmp_path):
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


def test_what_is_no_plugin_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(PluginError, match=r"__init__\.py"):
        read_contents(folder)
    (folder / "__init__.py").write_text("# a plugin\n")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    (folder / ".hidden").write_bytes(b"x")
    assert list(read_contents(folder).files) == ["__init__.py"]
    (folder / "link.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(PluginError, match="link"):
        read_contents(folder)
    (folder / "link.py").unlink()
    monkeypatch.setattr(plugin_contents, "MOST_BYTES", 5)
    with pytest.raises(PluginError, match="too large"):
        read_contents(folder)
    monkeypatch.undo()
    monkeypatch.setattr(plugin_contents, "MOST_FILES", 1)
    (folder / "more.py").write_text("")
    with pytest.raises(PluginError, match="too large"):
        read_contents(folder)


def test_line_ends_and_the_name_of_a_file_are_no_difference(tmp_path):
    (tmp_path / "one.py").write_bytes(b"x = 1\ny = 2\n")
    (tmp_path / "other.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    one, other = read_contents(tmp_path / "one.py"), read_contents(tmp_path / "other.py")
    assert other.difference(one) == ""
    assert one.digest == other.digest
    (tmp_path / "other.py").write_bytes(b"x = 1\ny = 3\n")
    changed = read_contents(tmp_path / "other.py")
    assert changed.digest != one.digest
    assert changed.difference(one) == "'other.py', line 2: 'y = 3' instead of 'y = 2'"


GATES = """
from nmt_lstm import CELLS, GatedCell

@CELLS.register("mistaken")
class Mistaken(GatedCell):
    gates = ("candidate")
"""


def test_a_class_with_a_mistake_names_the_line_of_the_file(tmp_path):
    (tmp_path / "mine.py").write_text(GATES)
    with pytest.raises(PluginError, match=r"line 5: TypeError: Mistaken.gates is the string"):
        load_plugin_file(str(tmp_path / "mine.py"))
    assert "mistaken" not in CELLS.names()
