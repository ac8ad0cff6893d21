"""Names of cells and attentions as given on the command line: where they are registered, where they come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nmt_lstm.registry import Entry, Registry

__all__ = ["find", "short_origin"]


def short_origin(entry: Entry) -> str:
    """Return the origin, a file relative to the working directory where that is shorter."""
    if entry.distribution or not os.path.isabs(entry.origin):  # noqa: PTH117 (the origin is a text)
        return entry.origin
    relative = os.path.relpath(entry.origin)
    return min(relative, entry.origin, key=len)


def find(name: str) -> list[tuple[Registry, Entry | None]]:
    """Return where a name is registered: as a cell, as an attention, or both.

    Raises:
        PluginError: nowhere.
    """
    from nmt_lstm.errors import PluginError, nearest
    from nmt_lstm.registry import ATTENTIONS, CELLS

    if ":" in name:
        try:
            CELLS.get(name)
        except PluginError as problem:
            if "is not a subclass" not in str(problem):
                raise
            return [(ATTENTIONS, None)]
        return [(CELLS, None)]
    found: list[tuple[Registry, Entry | None]] = [
        (registry, entry)
        for registry in (CELLS, ATTENTIONS)
        for entry in registry.entries()
        if entry.name == name
    ]
    if not found:
        known = [*CELLS.names(), *ATTENTIONS.names()]
        raise PluginError(
            f"no cell or attention is called '{name}'.{nearest(name, known)} Known: {', '.join(known)}."
        )
    return list({registry.kind: (registry, entry) for registry, entry in found}.values())
