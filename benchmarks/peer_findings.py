"""The findings of a comparison: repeated measurements of each toolkit, and failures with their reasons."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from peer_process import ToolkitError
from report import FAILED, Row
from timing import Repeated


def say(line: str) -> None:
    """Report a result at once, so that it is not lost if the long run is interrupted."""
    print(line, file=sys.stderr, flush=True)


class Findings:
    """Rows collected over several rounds.

    Args:
        location: where everything was measured, for the table.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._values: dict[tuple[str, str], list[Row]] = {}
        self._failures: dict[tuple[str, str], str] = {}
        self._versions: list[Row] = []

    def measure(
        self, name: str, what: str, measurement: Callable[..., Sequence[Row]], *arguments: object
    ) -> None:
        """Call a measurement and add its rows or its failure; a failed one is not tried again."""
        if (name, what) in self._failures:
            return
        try:
            rows = measurement(*arguments)
        except (ToolkitError, OSError, ValueError, RuntimeError) as failure:
            self.add_failure(name, what, str(failure) or type(failure).__name__)
            return
        say(f"{name}, {what}: " + ", ".join(f"{row.what} {row.value:,.2f} {row.unit}" for row in rows))
        for row in rows:
            self._values.setdefault((name, f"{what}: {row.what}"), []).append(row)

    def add_failure(self, name: str, what: str, reason: str) -> None:
        """Add a failure."""
        say(f"{name}, {what}: failed: {reason}")
        self._failures[name, what] = reason

    def add_versions(self, name: str, versions: str) -> None:
        """Add the versions of a toolkit."""
        self._versions.append(Row(f"{name}", 1, "compared", versions))

    def ratio(self, one: tuple[str, str], other: tuple[str, str]) -> Repeated | None:
        """Return the ratios of two measurements by round; None if one is missing.

        Args:
            one: names of a toolkit and of a measurement.
            other: names of a toolkit and of a measurement.
        """
        if one not in self._values or other not in self._values:
            return None
        pairs = zip(self._values[one], self._values[other], strict=False)
        return Repeated(tuple(first.value / second.value for first, second in pairs))

    def rows(self) -> list[Row]:
        """Return the versions, then the measurements grouped by name, then the failures."""
        table = [*self._versions]
        for name, what in sorted(self._values, key=lambda key: key[1]):
            rows = self._values[name, what]
            repeated = Repeated(tuple(row.value for row in rows))
            digits = 0 if repeated.median >= 100 else 2
            counted = f"{rows[-1].counted}; {self._location}; {repeated.spread(digits)}"
            table.append(Row(f"{what}, {name}", repeated.median, rows[-1].unit, counted))
        table += [
            Row(f"{what}, {name}", 0, FAILED, reason) for (name, what), reason in self._failures.items()
        ]
        return table
