"""The option of a benchmark that loads cells or attentions from plugin files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nmt_lstm.registry import Registry

__all__ = ["add_plugin_option", "load_plugins"]


def add_plugin_option(parser: argparse.ArgumentParser, parts: str) -> None:
    """Add ``--plugin``, which may be repeated; `parts` names what the files register, such as "cells"."""
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="FILE", help=f"file or folder that registers {parts}"
    )


def load_plugins(plugins: Sequence[str], registry: Registry) -> list[str]:
    """Load plugin files and return the names that they register in a registry.

    Raises:
        PluginError: a file cannot be loaded.
    """
    from nmt_lstm.registry import load_plugin_file

    entries = [entry for plugin in plugins for entry in load_plugin_file(plugin)]
    return [entry.name for entry in entries if entry in registry.decorated_entries()]
