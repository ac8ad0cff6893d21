"""What a comparison found: figures of each toolkit, repeated, and what failed with its reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from peer_process import ToolkitError
from report import FAILED, Row
from timing import Repeated


def say(line: str) -> None:
    """Tell what was just found: the whole takes long, and what was found is known even if it is stopped."""
    print(line, file=sys.stderr, flush=True)


class Findings:
    """Rows gathered round after round.

    Args:
        where: what each was measured on, for the table.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._values: dict[tuple[str, str], list[Row]] = {}
        self._failures: dict[tuple[str, str], str] = {}
        self._facts: list[Row] = []

    def note(
        self, name: str, what: str, measurement: Callable[..., Sequence[Row]], *arguments: object
    ) -> None:
        """Take a measurement and keep its rows, or why it failed; one that failed before is not tried again."""
        if (name, what) in self._failures:
            return
        try:
            found = measurement(*arguments)
        except (ToolkitError, OSError, ValueError, RuntimeError) as failure:
            self.fail(name, what, str(failure) or type(failure).__name__)
            return
        say(f"{name}, {what}: " + ", ".join(f"{row.what} {row.value:,.2f} {row.unit}" for row in found))
        for row in found:
            self._values.setdefault((name, f"{what}: {row.what}"), []).append(row)

    def fail(self, name: str, what: str, reason: str) -> None:
        """Keep a failure."""
        say(f"{name}, {what}: failed: {reason}")
        self._failures[name, what] = reason

    def facts(self, name: str, versions: str) -> None:
        """Keep what is compared."""
        self._facts.append(Row(f"{name}", 1, "compared", versions))

    def compared(self, ours: tuple[str, str], theirs: tuple[str, str]) -> Repeated | None:
        """Return how many times their figure ours is, round by round; nothing where one is missing.

        Args:
            ours: name of a toolkit and figure.
            theirs: the same of the other.
        """
        if ours not in self._values or theirs not in self._values:
            return None
        pairs = zip(self._values[ours], self._values[theirs], strict=False)
        return Repeated(tuple(one.value / other.value for one, other in pairs))

    def rows(self) -> list[Row]:
        """All of it: what is compared, then figure by figure with the toolkits under one another, then failures."""
        found = [*self._facts]
        for name, what in sorted(self._values, key=lambda key: key[1]):
            rows = self._values[name, what]
            repeated = Repeated(tuple(row.value for row in rows))
            digits = 0 if repeated.median >= 100 else 2
            counted = f"{rows[-1].counted}; {self._where}; {repeated.spread(digits)}"
            found.append(Row(f"{what}, {name}", repeated.median, rows[-1].unit, counted))
        found += [
            Row(f"{what}, {name}", 0, FAILED, reason) for (name, what), reason in self._failures.items()
        ]
        return found
