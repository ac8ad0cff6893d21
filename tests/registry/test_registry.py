"""The registry: decorator and entry points, nothing imported before its first use, and errors that say what to do."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import CELLS, Registry
from nmt_lstm.registry.plugin_file import load_plugin_module


def test_an_installed_part_is_listed_without_importing_it(registry, knot):
    (entry,) = registry.entries()
    assert (entry.name, entry.origin, entry.target) == ("knot", "toy-knot 2.1", "toy_knot:Knot")
    assert entry.description == "A knot in a string."
    assert registry.names() == ["knot"]
    assert "toy_knot" not in sys.modules
    registry.get(knot)
    assert "toy_knot" in sys.modules


def test_build_passes_sizes_and_options(registry, knot):
    part = registry.build(knot, 7, options={"turns": 3, "slack": 1, "kind": "bowline"})
    assert (part.size, part.turns, part.slack, part.kind) == (7, 3, 1.0, "bowline")
    assert isinstance(part.slack, float)
    assert registry.build(knot, size=4).size == 4


def test_a_value_that_the_class_rejects_is_a_plugin_error(registry, knot):
    with pytest.raises(PluginError, match="turns = 10: turns must be at most 9"):
        registry.build(knot, 7, options={"turns": 10})


def test_the_decorator_registers_and_repeating_a_class_replaces_it(registry, site):
    import toy_base

    def define() -> type:
        @registry.register("loop")
        class Loop(toy_base.Part):
            """A loop."""

        return Loop

    define()
    second = define()
    assert registry.get("loop") is second
    assert [entry.description for entry in registry.entries()] == ["A loop."]


def test_two_decorated_classes_of_one_name_are_refused(registry, site):
    import toy_base

    registry.register("loop")(type("First", (toy_base.Part,), {}))
    with pytest.raises(PluginError, match=r":First\) and .*:Second\)") as caught:
        registry.register("loop")(type("Second", (toy_base.Part,), {}))
    assert "@PARTS.register(" in str(caught.value)


def test_two_distributions_with_one_name_are_refused(registry, knot, knot_source, install):
    install("toy-rope", knot_source, {"knot": "toy_rope:Knot"})
    assert registry.names() == ["knot"]
    assert len(registry.entries()) == 2
    with pytest.raises(PluginError, match=r"toy-knot 2.1 .* and toy-rope 1.0 .*; uninstall"):
        registry.get("knot")


def test_a_decorated_class_with_an_entry_point_is_listed_once(registry, install, site):
    install("toy-both", "from toy_base import Part\nclass Both(Part): ...\n", {"both": "toy_both:Both"})
    import toy_both

    registry.register("both")(toy_both.Both)
    assert [entry.origin for entry in registry.entries()] == ["toy-both 1.0"]
    assert registry.get("both") is toy_both.Both


def test_the_error_of_an_unknown_name_suggests_the_nearest(registry, knot):
    with pytest.raises(PluginError, match=r"mean 'knot'\? Known: knot \(toy-knot 2.1\)") as caught:
        registry.get("knt")
    assert (caught.value.value, caught.value.known) == ("knt", ("knot",))


def test_the_error_of_a_part_for_a_different_protocol_says_what_to_install(registry, knot, install):
    install("toy-old", "", {"bow": "toy_old:Bow"}, version="0.3", group="toy.parts.v0")
    with pytest.raises(PluginError, match="protocol v0") as caught:
        registry.get("bow")
    assert all(word in str(caught.value) for word in ("'bow' (toy-old 0.3)", "v1", "'toy.parts.v1'"))
    assert "bow" not in registry.names()


def test_the_error_of_an_empty_registry_asks_whether_the_package_is_installed(registry):
    with pytest.raises(PluginError, match="none is registered; is nmt-lstm installed"):
        registry.get("knot")


def test_a_class_with_a_different_base_is_refused(registry, install):
    install("toy-alien", "class Alien: ...\n", {"alien": "toy_alien:Alien"})
    with pytest.raises(PluginError, match="not a subclass of toy_base.Part"):
        registry.get("alien")


def test_the_record_of_a_part_loads_it_again(registry, knot, site):
    record = registry.record(knot)
    assert record == {"name": "knot", "target": "toy_knot:Knot", "distribution": "toy-knot", "version": "2.1"}
    assert registry.require(record).__name__ == "Knot"
    with pytest.raises(PluginError, match="pip install 'toy-bow==3'"):
        registry.require({"name": "bow", "target": "b:B", "distribution": "toy-bow", "version": "3"})
    with pytest.raises(PluginError, match=r"loaded from a file \(bow:B\).*--plugin"):
        registry.require({"name": "bow", "target": "bow:B", "distribution": "", "version": ""})
    assert registry.record("toy_knot:Knot")["target"] == "toy_knot:Knot"


def test_an_invalid_name_is_refused(registry):
    with pytest.raises(PluginError, match="'a:b'"):
        registry.register("a:b")


def test_a_plugin_file_registers_its_decorated_classes(registry, site, tmp_path):
    file = tmp_path / "mine.py"
    Registry.shared = registry  # how the file reaches this test's registry
    file.write_text(
        "from __future__ import annotations\nfrom nmt_lstm.registry import Registry\nimport toy_base\n"
        "@Registry.shared.register('mine')\nclass Mine(toy_base.Part):\n    '''My own.'''\n"
        "    def __init__(self, size: int, *, turns: int = 1): self.turns = turns\n"
    )
    try:
        (entry,) = load_plugin_module(file, (registry,))
        load_plugin_module(file, (registry,))
    finally:
        del Registry.shared
    assert (entry.name, entry.origin, entry.description) == ("mine", str(file), "My own.")
    assert registry.build("mine", 3, options={"turns": 4}).turns == 4
    assert registry.record("mine")["distribution"] == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "registered nothing"),
        ("x = 1\ny = (\n", "failed: line 2: "),
        ("x = 1\n\nraise RuntimeError('no luck')\n", "failed: line 3: RuntimeError: no luck"),
        ("import no_such_thing\n", "line 1: .*'no_such_thing'"),
    ],
)
def test_the_error_of_a_failing_plugin_file_gives_the_line(registry, tmp_path, text, message):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(PluginError, match=message):
        load_plugin_module(file, (registry,))


def test_a_missing_plugin_file_is_refused(registry, tmp_path):
    with pytest.raises(PluginError, match=r"nowhere.py' does not exist"):
        load_plugin_module(tmp_path / "nowhere.py", (registry,))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(PluginError, match=r"must end in .py"):
        load_plugin_module(tmp_path / "notes.txt", (registry,))


LISTING = """
    import sys
    from nmt_lstm.registry import ATTENTIONS, CELLS
    CELLS.names(), ATTENTIONS.names(), CELLS.entries(), ATTENTIONS.entries()
    {statement}
    sys.exit(7 if "torch" in sys.modules else 0)
"""


def listing_status(statement: str = "") -> int:
    """Run the listing in a fresh interpreter: 0 without torch, 7 with it, anything else is a crash."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LISTING.format(statement=statement))], check=False
    ).returncode


def test_listing_does_not_import_torch():
    assert listing_status() == 0


def test_the_test_above_can_fail():
    assert listing_status("import types; sys.modules['torch'] = types.ModuleType('torch')") == 7


def test_the_stock_cells_are_entry_points():
    assert {"lstm", "gru", "rnn"} <= set(CELLS.names())


def test_a_class_can_be_unregistered(registry, site):
    import toy_base

    registry.register("loop")(type("Loop", (toy_base.Part,), {}))
    registry.unregister("loop")
    assert registry.names() == []
    with pytest.raises(KeyError):
        registry.unregister("loop")


def test_registrations_can_be_undone(registry, site):
    import toy_base

    registry.register("before")(type("Before", (toy_base.Part,), {}))
    with registry.isolated():
        registry.register("inside")(type("Inside", (toy_base.Part,), {}))
        registry.unregister("before")
        assert registry.names() == ["inside"]
    assert registry.names() == ["before"]
