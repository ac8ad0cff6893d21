"""The tables of cells, attentions and encoders, filled by a decorator and by entry points, and loaded on first use."""

from __future__ import annotations

from nmt_lstm.registry.entry import Entry
from nmt_lstm.registry.failure import describe_failure, describe_suspects
from nmt_lstm.registry.options import OptionSpec
from nmt_lstm.registry.plugin_contents import PluginContents, read_contents
from nmt_lstm.registry.plugin_file import load_plugin_module
from nmt_lstm.registry.registry import Registry

__all__ = [
    "ATTENTIONS",
    "CELLS",
    "ENCODERS",
    "REGISTRIES",
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
ENCODERS = Registry(
    kind="encoder",
    group="nmt_lstm.encoders.v1",
    base="nmt_lstm.encoders.encoder:Encoder",
    sizes=("input_size", "dropout"),
)
REGISTRIES = (CELLS, ATTENTIONS, ENCODERS)


def load_plugin_file(path: str) -> list[Entry]:
    """Run a Python file, or a folder with an ``__init__.py``, that registers parts; return what it registered.

    Raises:
        PluginError: the file is missing, fails, or registers nothing.
    """
    return load_plugin_module(path, REGISTRIES)


def plugin_failure(problem: BaseException) -> str:
    """Describe the line of a loaded cell, attention or encoder in which an exception was raised; empty if it was in none.

    The sentence names the plugin, the file and the line, the error, and the command that looks for the cause.
    """
    return describe_failure(problem, REGISTRIES)


def plugin_suspicion() -> str:
    """Name the loaded cells, attentions and encoders that may have caused a failure elsewhere; empty if none was loaded."""
    return describe_suspects(REGISTRIES)
