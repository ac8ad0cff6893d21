"""The tables of cells and attentions: two doors (decorator and entry points), loaded only when asked for."""

from __future__ import annotations

from nmt_lstm.registry.entry import Entry
from nmt_lstm.registry.failure import failure_of_a_plugin, suspicion
from nmt_lstm.registry.options import OptionSpec
from nmt_lstm.registry.plugin_contents import PluginContents, read_contents
from nmt_lstm.registry.plugin_file import load_plugin_module
from nmt_lstm.registry.registry import Registry

__all__ = [
    "ATTENTIONS",
    "CELLS",
    "Entry",
    "OptionSpec",
    "PluginContents",
    "Registry",
    "load_plugin_file",
    "plugin_failure",
    "plugin_suspicion",
    "read_contents",
]

CELLS = Registry(
    kind="cell",
    group="nmt_lstm.cells.v1",
    base="nmt_lstm.cells.cell:Cell",
    sizes=("input_size", "hidden_size", "initial_biases"),
)
ATTENTIONS = Registry(
    kind="attention",
    group="nmt_lstm.attentions.v1",
    base="nmt_lstm.attention.attention:Attention",
    sizes=("query_size", "memory_size"),
)


def load_plugin_file(path: str) -> list[Entry]:
    """Run a Python file, or a folder with an ``__init__.py``, that registers cells or attentions; return what it registered.

    Raises:
        PluginError: it is missing, fails, or registers nothing.
    """
    return load_plugin_module(path, (CELLS, ATTENTIONS))


def plugin_failure(problem: BaseException) -> str:
    """Say in which line of a cell or an attention that was loaded an exception was raised; empty if in none.

    The sentence names the plugin, the file and the line, the error, and the command that looks for what is wrong.
    """
    return failure_of_a_plugin(problem, (CELLS, ATTENTIONS))


def plugin_suspicion() -> str:
    """Say which loaded cells and attentions may be behind a failure that was raised in none; empty if all are stock."""
    return suspicion((CELLS, ATTENTIONS))
