"""Names in a folder that nmt-lstm did not write, so that its files are not mixed with those of another program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["strangers_in"]

_SHOWN = 3


def strangers_in(folder: Path, is_ours: Callable[[str], bool] = lambda _: False) -> str:
    """Return the first names in a folder that are not ours, such as "a, b, c ..."; empty without any, or a folder."""
    if not folder.is_dir():
        return ""
    names = sorted(path.name for path in folder.iterdir() if not is_ours(path.name))
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
