"""Names of cells and attentions as given on the command line: where they are registered, where they come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nmt_lstm.registry import Entry, Registry

__all__ = ["NamedPart", "named_parts", "short_origin"]


class NamedPart(NamedTuple):
    """A part that was named."""

    registry: Registry
    name: str
    """Registered, or ``package.module:Class``."""
    entry: Entry | None
    """Of a registered one."""


def short_origin(entry: Entry) -> str:
    """Return the origin, a file relative to the working directory where that is shorter."""
    if entry.distribution or not os.path.isabs(entry.origin):  # noqa: PTH117 (the origin is a text)
        return entry.origin
    relative = os.path.relpath(entry.origin)
    return min(relative, entry.origin, key=len)


def named_parts(name: str) -> list[NamedPart]:
    """Return the parts that are meant by a name, a class, or a plugin file or folder, which is run.

    Raises:
        PluginError: there is none, or the file cannot be run.
    """
    from nmt_lstm.errors import PluginError, nearest
    from nmt_lstm.registry import ATTENTIONS, CELLS, load_plugin_file

    path = Path(name)
    # A folder beside may have the name of a part: what 'plugins new' makes is not itself a plugin folder.
    if name.endswith((".py", "/", os.sep)) or path.is_file() or (path / "__init__.py").is_file():
        return [
            NamedPart(CELLS if entry in CELLS.decorated_entries() else ATTENTIONS, entry.name, entry)
            for entry in load_plugin_file(name)
        ]
    if ":" in name:
        try:
            CELLS.get(name)
        except PluginError as problem:
            if "is not a subclass" not in str(problem):
                raise
            return [NamedPart(ATTENTIONS, name, None)]
        return [NamedPart(CELLS, name, None)]
    found = {
        registry.kind: NamedPart(registry, name, entry)
        for registry in (CELLS, ATTENTIONS)
        for entry in registry.entries()
        if entry.name == name
    }
    if found:
        return list(found.values())
    for registry in (CELLS, ATTENTIONS):
        other = registry.other_protocol(name)
        if other is not None:
            raise other
    known = [*CELLS.names(), *ATTENTIONS.names()]
    raise PluginError(
        f"no cell or attention is called '{name}'.{nearest(name, known)} Known: {', '.join(known)}. Name a file or a folder "
        f"by its path, such as ./{name}.py."
    )
