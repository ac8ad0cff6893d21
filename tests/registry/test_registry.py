"""Two doors, one table; nothing imported before it is asked for; every refusal says what to do."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap

import pytest

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import CELLS, Registry
from nmt_lstm.registry.plugin_file import load_plugin_module

GOOD = '''
    """Toy parts."""
    from typing import Literal
    from toy_base import Part
    class Knot(Part):
        """A knot in a string.

        More of it.
        """
        def __init__(self, size: int, *, turns: int = 1, slack: float = 0.5,
                     kind: Literal["reef", "bowline"] = "reef") -> None:
            if turns > 9:
                raise ValueError("turns must be at most 9")
            self.size, self.turns, self.slack, self.kind = size, turns, slack, kind
'''


@pytest.fixture
def knot(install) -> str:
    install("toy-knot", GOOD, {"knot": "toy_knot:Knot"}, version="2.1")
    return "knot"


def test_an_installed_part_is_listed_without_being_imported(registry, knot):
    (entry,) = registry.entries()
    assert (entry.name, entry.origin, entry.target) == ("knot", "toy-knot 2.1", "toy_knot:Knot")
    assert entry.description == "A knot in a string."
    assert registry.names() == ["knot"]
    assert "toy_knot" not in sys.modules
    registry.get(knot)
    assert "toy_knot" in sys.modules


def test_description_follows_a_reexport_inside_a_package(registry, install, site):
    install("toy-pack", "", {"bow": "toy_bows:Bow"})
    (site / "toy_bows").mkdir()
    (site / "toy_bows" / "__init__.py").write_text("from .kinds import LongBow as Bow\n")
    (site / "toy_bows" / "kinds.py").write_text('class LongBow:\n    """A long bow."""\n')
    assert [entry.description for entry in registry.entries()] == ["A long bow."]
    assert "toy_bows" not in sys.modules


def test_build_fills_sizes_and_options(registry, knot):
    built = registry.build(knot, 7, options={"turns": 3, "slack": 1, "kind": "bowline"})
    assert (built.size, built.turns, built.slack, built.kind) == (7, 3, 1.0, "bowline")
    assert isinstance(built.slack, float)
    assert registry.build(knot, size=4).size == 4


def test_options_come_from_the_constructor(registry, knot):
    assert [str(spec) for spec in registry.options(knot).values()] == [
        "turns: int = 1",
        "slack: float = 0.5",
        'kind: "reef" or "bowline" = \'reef\'',
    ]


def test_all_wrong_options_are_named_at_once_with_the_accepted_ones(registry, knot):
    with pytest.raises(PluginError, match=r"unknown option 'turn'. Did you mean 'turns'") as caught:
        registry.build(knot, 7, options={"turn": 3, "slack": "much", "kind": "granny"})
    message = str(caught.value)
    assert message.startswith("part 'knot' (toy-knot 2.1): ")
    assert "option 'slack' is 'much', but must be float." in message
    assert "option 'kind' is 'granny', but must be \"reef\" or \"bowline\"." in message
    assert "Accepted options: turns: int = 1; slack: float = 0.5; kind" in message


def test_a_boolean_is_no_number(registry, knot):
    with pytest.raises(PluginError, match="option 'turns' is True, but must be int"):
        registry.build(knot, 7, options={"turns": True})


def test_a_value_refused_by_the_class_is_a_plugin_error(registry, knot):
    with pytest.raises(
        PluginError, match=r"\(toy-knot 2.1\) cannot be built with turns = 10: turns must be at most 9"
    ):
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


def test_one_name_by_two_decorated_classes_is_refused_naming_both(registry, site):
    import toy_base

    registry.register("loop")(type("First", (toy_base.Part,), {}))
    with pytest.raises(PluginError, match=r"'loop' is registered by .*:First\) and .*:Second\)") as caught:
        registry.register("loop")(type("Second", (toy_base.Part,), {}))
    assert "@PARTS.register(" in str(caught.value)


def test_one_name_from_two_distributions_is_refused_naming_both(registry, knot, install):
    install("toy-rope", GOOD, {"knot": "toy_rope:Knot"})
    assert registry.names() == ["knot"]
    assert len(registry.entries()) == 2
    with pytest.raises(
        PluginError, match=r"by toy-knot 2.1 \(.*\) and toy-rope 1.0 \(toy_rope:Knot\); uninstall"
    ):
        registry.get("knot")


def test_a_class_that_is_both_decorated_and_an_entry_point_is_one(registry, install, site):
    install("toy-both", "from toy_base import Part\nclass Both(Part): ...\n", {"both": "toy_both:Both"})
    import toy_both

    registry.register("both")(toy_both.Both)
    assert [entry.origin for entry in registry.entries()] == ["toy-both 1.0"]
    assert registry.get("both") is toy_both.Both


def test_an_unknown_name_answers_with_nearest_known_and_origin(registry, knot):
    with pytest.raises(
        PluginError, match=r"unknown part 'knt'. Did you mean 'knot'\? Known: knot \(toy-knot 2.1\)"
    ):
        registry.get("knt")


def test_a_part_of_another_protocol_is_named_with_what_to_install(registry, knot, install):
    install("toy-old", "", {"bow": "toy_old:Bow"}, version="0.3", group="toy.parts.v0")
    with pytest.raises(
        PluginError,
        match=r"the part 'bow' \(toy-old 0.3\) is written for the protocol v0, but this nmt-lstm reads v1. "
        r"Install a version of toy-old that names 'toy.parts.v1'.",
    ):
        registry.get("bow")
    assert "bow" not in registry.names()


def test_an_empty_registry_asks_whether_the_package_is_installed(registry):
    with pytest.raises(PluginError, match="none is registered; is nmt-lstm installed"):
        registry.get("knot")


def test_a_class_is_found_by_module_and_name(registry, knot):
    assert registry.get("toy_knot:Knot").__name__ == "Knot"
    with pytest.raises(PluginError, match=r"'toy_knot:Bow' cannot be loaded: .*no attribute 'Bow'"):
        registry.get("toy_knot:Bow")
    with pytest.raises(PluginError, match="no module named 'no_such_module'"):
        registry.get("no_such_module:Bow")
    with pytest.raises(PluginError, match="'toy_knot:' does not name a class"):
        registry.get("toy_knot:")


def test_a_missing_dependency_names_the_distribution_and_the_module(registry, install):
    install("toy-needy", "import module_that_is_not_there\n", {"needy": "toy_needy:Needy"})
    with pytest.raises(
        PluginError, match=r"\(toy-needy 1.0\) cannot be imported: no module named 'module_that_is_not"
    ):
        registry.get("needy")


def test_a_module_that_fails_names_the_distribution_and_the_failure(registry, install):
    install("toy-bad", "1 / 0\n", {"bad": "toy_bad:Bad"})
    with pytest.raises(PluginError, match=r"\(toy-bad 1.0\) fails when imported: ZeroDivisionError"):
        registry.get("bad")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("self, size, turns: int = 1", r"parameter 'turns: int = 1' of the constructor is not keyword-only"),
        ("self, size, **rest", r"parameter '\*\*rest' of the constructor is not keyword-only"),
        ("self, size, *, turns=1", "option 'turns' has no type"),
        ("self, size, *, turns: int", "option 'turns' has no default"),
        ("self, size, *, turns: 'Unknown' = 1", "signature cannot be read"),
    ],
)
def test_a_bad_constructor_names_the_parameter_and_the_distribution(registry, install, parameters, message):
    source = f"from toy_base import Part\nclass Odd(Part):\n    def __init__({parameters}): ...\n"
    install("toy-odd", source, {"odd": "toy_odd:Odd"})
    with pytest.raises(PluginError, match=rf"part 'odd' \(toy-odd 1.0\): .*{message}"):
        registry.get("odd")


def test_another_base_is_refused(registry, install):
    install("toy-alien", "class Alien: ...\n", {"alien": "toy_alien:Alien"})
    with pytest.raises(
        PluginError, match=r"\(toy-alien 1.0\): toy_alien:Alien is not a subclass of toy_base.Part"
    ):
        registry.get("alien")


def test_broken_metadata_of_one_distribution_does_not_break_the_listing(registry, knot, install, caplog):
    info = install("toy-broken", "", {"x": "toy_broken:X"})
    (info / "entry_points.txt").write_bytes(b"[toy.parts.v1]\nx = \xff\xfe\n")
    with caplog.at_level(logging.WARNING):
        assert registry.names() == ["knot"]
    assert "passing over toy-broken: its metadata cannot be read" in caplog.text


def test_record_and_require(registry, knot, site):
    record = registry.record(knot)
    assert record == {"name": "knot", "target": "toy_knot:Knot", "distribution": "toy-knot", "version": "2.1"}
    assert registry.require(record).__name__ == "Knot"
    with pytest.raises(
        PluginError, match=r"needs the part 'bow', which is not installed. Install it: pip install 'toy-b"
    ):
        registry.require({"name": "bow", "target": "b:B", "distribution": "toy-bow", "version": "3"})
    with pytest.raises(PluginError, match=r"loaded from a file \(bow:B\): name that file with --plugin"):
        registry.require({"name": "bow", "target": "bow:B", "distribution": "", "version": ""})
    assert registry.record("toy_knot:Knot")["target"] == "toy_knot:Knot"


def test_a_name_must_be_a_name(registry):
    with pytest.raises(PluginError, match="'a:b' cannot name a part"):
        registry.register("a:b")


def test_a_plugin_file_registers_what_it_decorates(registry, site, tmp_path):
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
        ("x = 1\n", "registered nothing; decorate its class"),
        ("x = 1\ny = (\n", "failed: line 2: "),
        ("x = 1\n\nraise RuntimeError('no luck')\n", "failed: line 3: RuntimeError: no luck"),
        ("import no_such_thing\n", "failed: line 1: ModuleNotFoundError: No module named 'no_such_thing'"),
    ],
)
def test_a_plugin_file_that_fails_says_where(registry, tmp_path, text, message):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(PluginError, match=message):
        load_plugin_module(file, (registry,))


def test_a_missing_plugin_file(registry, tmp_path):
    with pytest.raises(PluginError, match=r"nowhere.py' does not exist"):
        load_plugin_module(tmp_path / "nowhere.py", (registry,))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(PluginError, match=r"must end in .py"):
        load_plugin_module(tmp_path / "notes.txt", (registry,))


LISTING = """
    import sys
    from nmt_lstm.registry import ATTENTIONS, CELLS
    CELLS.names(), ATTENTIONS.names(), CELLS.entries(), ATTENTIONS.entries()
    {also}
    sys.exit(7 if "torch" in sys.modules else 0)
"""


def listing_status(also: str = "") -> int:
    """Run the listing in a fresh interpreter: 0 without torch, 7 with it, anything else is a crash."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LISTING.format(also=also))], check=False
    ).returncode


def test_listing_does_not_import_torch():
    assert listing_status() == 0


def test_the_test_above_can_fail():
    assert listing_status("import types; sys.modules['torch'] = types.ModuleType('torch')") == 7


def test_the_stock_cells_are_entry_points():
    assert {"lstm", "gru", "rnn"} <= set(CELLS.names())


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("toy_wrong", ("does not name a class",)),
        ("toy_wrong:Knott", ("no attribute 'Knott'",)),
        ("toy_wrogn:Knot", ("no module named 'toy_wrogn'",)),
        ("toy_wrong:Other", ("not a subclass",)),
    ],
)
def test_an_entry_point_with_a_mistake_says_where_it_is_corrected(registry, install, target, words):
    install("toy-wrong", f"{textwrap.dedent(GOOD)}\nclass Other: ...\n", {"wrong": target})
    with pytest.raises(PluginError) as caught:
        registry.get("wrong")
    message = str(caught.value)
    assert all(
        word in message
        for word in (
            *words,
            "part 'wrong' (toy-wrong 1.0)",
            f'wrong = "{target}"',
            "toy.parts.v1",
            "pyproject.toml",
        )
    )


def test_what_an_entry_point_needs_besides_is_not_a_mistake_of_it(registry, install):
    install("toy-poor", "import module_that_is_not_there\n", {"poor": "toy_poor:Poor"})
    with pytest.raises(PluginError, match="toy-poor needs it") as caught:
        registry.get("poor")
    assert "pyproject" not in str(caught.value)


def test_a_file_in_place_of_a_module_is_answered_with_both_ways() -> None:
    with pytest.raises(PluginError, match=r"my_cells:MyCell.*--plugin my_cells\.py"):
        CELLS.get("my_cells.py:MyCell")
    with pytest.raises(PluginError, match="PYTHONPATH"):
        CELLS.get("no_such_cells:MyCell")
