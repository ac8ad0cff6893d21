"""Cells, attentions and encoders that an argument names: by a registered name, a class, or a file or folder that registers them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nmt_lstm.errors import PluginError, WrongBaseError, nearest

if TYPE_CHECKING:
    from nmt_lstm.registry import Entry, Registry

__all__ = ["NamedPart", "named_parts", "short_origin"]


class NamedPart(NamedTuple):
    """A cell, an attention or an encoder."""

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
    """Return the cells, attentions and encoders that `name` stands for. A plugin file or folder is run.

    Raises:
        PluginError: there are none, or the file cannot be run.
    """
    from nmt_lstm.registry import REGISTRIES, load_plugin_file

    path = Path(name)
    # A folder with the name of a cell is not its plugin unless it is a package: 'plugins new' makes such folders.
    if name.endswith((".py", "/", os.sep)) or path.is_file() or (path / "__init__.py").is_file():
        return [
            NamedPart(registry, entry.name, entry)
            for entry in load_plugin_file(name)
            for registry in REGISTRIES
            if entry in registry.decorated_entries()
        ]
    if ":" in name:
        for registry in REGISTRIES[:-1]:
            try:
                registry.get(name)
            except WrongBaseError:
                continue
            return [NamedPart(registry, name, None)]
        return [NamedPart(REGISTRIES[-1], name, None)]
    parts = {
        registry.kind: NamedPart(registry, name, entry)
        for registry in REGISTRIES
        for entry in registry.entries(name)
    }
    if parts:
        return list(parts.values())
    for registry in REGISTRIES:
        protocol_error = registry.other_protocol(name)
        if protocol_error is not None:
            raise protocol_error
    known = [known_name for registry in REGISTRIES for known_name in registry.names()]
    raise PluginError(
        f"no cell, attention or encoder is called '{name}'.{nearest(name, known)} Known: {', '.join(known)}. Name a file or a folder "
        f"by its path, such as ./{name}.py.",
        value=name,
        known=known,
    )
