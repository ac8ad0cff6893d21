"""Cells and attentions that an argument names: by a registered name, a class, or a file or folder that registers them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nmt_lstm.errors import PluginError, WrongBaseError, nearest

if TYPE_CHECKING:
    from nmt_lstm.registry import Entry, Registry

__all__ = ["NamedPart", "named_parts", "short_origin"]


class NamedPart(NamedTuple):
    """A cell or an attention."""

    registry: Registry
    name: str
    """The registered name, or ``package.module:Class``."""
    entry: Entry | None
    """None for a class."""


def short_origin(entry: Entry) -> str:
    """Return an entry's origin; a file relative to the working directory if that is shorter."""
    if entry.distribution or not os.path.isabs(entry.origin):  # noqa: PTH117 (the origin is a string)
        return entry.origin
    return min(os.path.relpath(entry.origin), entry.origin, key=len)


def named_parts(name: str) -> list[NamedPart]:
    """Return the cells and attentions that `name` stands for. A plugin file or folder is run.

    Raises:
        PluginError: there are none, or the file cannot be run.
    """
    from nmt_lstm.registry import ATTENTIONS, CELLS, load_plugin_file

    path = Path(name)
    # A folder with the name of a cell is not its plugin unless it is a package: 'plugins new' makes such folders.
    if name.endswith((".py", "/", os.sep)) or path.is_file() or (path / "__init__.py").is_file():
        return [
            NamedPart(CELLS if entry in CELLS.decorated_entries() else ATTENTIONS, entry.name, entry)
            for entry in load_plugin_file(name)
        ]
    if ":" in name:
        try:
            CELLS.get(name)
        except WrongBaseError:
            return [NamedPart(ATTENTIONS, name, None)]
        return [NamedPart(CELLS, name, None)]
    parts = {
        registry.kind: NamedPart(registry, name, entry)
        for registry in (CELLS, ATTENTIONS)
        for entry in registry.entries(name)
    }
    if parts:
        return list(parts.values())
    for registry in (CELLS, ATTENTIONS):
        protocol_error = registry.other_protocol(name)
        if protocol_error is not None:
            raise protocol_error
    known = [*CELLS.names(), *ATTENTIONS.names()]
    raise PluginError(
        f"no cell or attention is called '{name}'.{nearest(name, known)} Known: {', '.join(known)}. Name a file or a folder "
        f"by its path, such as ./{name}.py.",
        value=name,
        known=known,
    )
