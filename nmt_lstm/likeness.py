"""The known name that a mistyped one is likely to mean; a module of its own, since errors and what raises them need it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["LIKENESS", "nearest"]

# Two letters exchanged in a word of three give 0.67; unrelated words of one length seldom exceed 0.6.
LIKENESS = 0.65
_MAX_NAME_LENGTH = 200


def nearest(name: str, known: Iterable[str], *, likeness: float = LIKENESS) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name closest to `name`, or an empty string.

    Args:
        name: the unknown name.
        known: the valid names.
        likeness: lowest ratio of `difflib` at which a name is offered; 0 always offers the closest one.
    """
    if len(name) > _MAX_NAME_LENGTH:  # not a typing error, and slow to compare
        return ""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)
    return f" Did you mean '{matches[0]}'?" if matches else ""
