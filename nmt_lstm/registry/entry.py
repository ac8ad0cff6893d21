"""A registered name with its origin, and the entry points of installed distributions that register names."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nmt_lstm.registry.plugin_source import first_docstring_line

__all__ = ["Entry", "entry_points"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One registered name and where it comes from; nothing is imported to make it."""

    name: str
    origin: str
    """What a person sees: "nmt-lstm 0.1.0", or the file that registered it."""
    distribution: str
    """The installed distribution, or empty for a class registered by the decorator."""
    version: str
    target: str
    """Where the class is: "package.module:Class"."""
    docstring: str | None = None
    """Of a class that is loaded; None where it would have to be read from a source file."""

    @property
    def description(self) -> str:
        """First line of the docstring; an installed class is not imported for it, which takes milliseconds."""
        if self.docstring is None:
            return first_docstring_line(self.target)
        return self.docstring.strip().partition("\n")[0].strip()

    @property
    def module(self) -> str:
        """The module part of the target."""
        return self.target.partition(":")[0]


def entry_points(
    belongs: Callable[[str], bool],
) -> Iterator[tuple[importlib.metadata.EntryPoint, importlib.metadata.Distribution]]:
    """Yield the entry points whose group `belongs`, each with its distribution.

    A distribution whose metadata is broken is passed over with a warning.
    """
    seen = set()
    for distribution in importlib.metadata.distributions():
        try:
            points = [point for point in distribution.entry_points if belongs(point.group)]
            key = (distribution.metadata["Name"] or "").lower().replace("_", "-") if points else ""
            if points and not key:
                raise ValueError("the metadata has no name")  # noqa: TRY301
        except Exception as problem:  # noqa: BLE001 - broken metadata may fail in any way
            logger.warning("passing over %s: its metadata cannot be read (%s)", _place(distribution), problem)
            continue
        if points and key not in seen:  # the first on the path wins, as for imports
            seen.add(key)
            for point in points:
                yield point, distribution


def _place(distribution: importlib.metadata.Distribution) -> str:
    """Name a distribution whose metadata may be broken."""
    try:
        return distribution.metadata["Name"] or "a distribution without a name"
    except Exception:  # noqa: BLE001 - as above
        return f"a distribution in {distribution.locate_file('')}"
