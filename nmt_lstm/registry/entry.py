"""A registered name with its origin, and the entry points of installed distributions."""

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
    """A registered name and where it comes from; creating one imports nothing."""

    name: str
    origin: str
    """As shown to users: "nmt-lstm 0.1.0", or the file that registered it."""
    distribution: str
    """The installed distribution, or empty for a class registered by the decorator."""
    version: str
    target: str
    """The class, as "package.module:Class"."""
    docstring: str | None = None
    """Of a class that is loaded; None if it has to be read from the source file."""

    @property
    def description(self) -> str:
        """First line of the docstring; of an installed class it is read without importing it, in milliseconds."""
        if self.docstring is None:
            return first_docstring_line(self.target)
        return self.docstring.strip().partition("\n")[0].strip()

    @property
    def module(self) -> str:
        """The module part of the target."""
        return self.target.partition(":")[0]


def entry_points(
    has_group: Callable[[str], bool],
) -> Iterator[tuple[importlib.metadata.EntryPoint, importlib.metadata.Distribution]]:
    """Yield the entry points whose group is accepted, each with its distribution.

    A distribution with broken metadata is skipped with a warning.
    """
    names = set()
    for distribution in importlib.metadata.distributions():
        try:
            points = [point for point in distribution.entry_points if has_group(point.group)]
            name = (distribution.metadata["Name"] or "").lower().replace("_", "-") if points else ""
            if points and not name:
                raise ValueError("the metadata has no name")  # noqa: TRY301
        except Exception as problem:  # noqa: BLE001 - broken metadata may fail in any way
            logger.warning("skipping %s: its metadata cannot be read (%s)", _name_of(distribution), problem)
            continue
        if points and name not in names:  # the first on the path wins, as for imports
            names.add(name)
            for point in points:
                yield point, distribution


def _name_of(distribution: importlib.metadata.Distribution) -> str:
    """Return what to call a distribution whose metadata may be broken."""
    try:
        return distribution.metadata["Name"] or "a distribution without a name"
    except Exception:  # noqa: BLE001 - as above
        return f"a distribution in {distribution.locate_file('')}"
