"""The ratios of a comparison: this toolkit's figure to each other's, taken in the same round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from peer_findings import Findings
from peer_runner import Runner
from report import Row

WIRINGS = {True: "input feeding", False: "no input feeding"}
SEARCHES = {5: "beam 5", 1: "greedy"}


@dataclass(frozen=True)
class Comparison:
    """One figure of all toolkits.

    Args:
        title: for the table.
        figure: name of the figure, without the wiring.
        feeding: the wiring that all have, or None for each toolkit's own.
        inverted: whether less is better.
    """

    title: str
    figure: str
    feeding: bool | None
    inverted: bool = False

    def key(self, runner: Runner) -> tuple[str, str]:
        """Where the figure of a toolkit is kept."""
        feeding = runner.feeds_by_default if self.feeding is None else self.feeding
        return runner.name, f"{WIRINGS[feeding]}{self.figure}"


COMPARISONS = (
    Comparison("training, each as it comes", ": training", None),
    Comparison("training, all without input feeding", ": training", False),
    Comparison("training, all with input feeding", ": training", True),
    Comparison("memory of training, each as it comes", ": training, memory", None, inverted=True),
    Comparison("translation, beam 5, each as it comes", ", beam 5: translation", None),
    Comparison("translation, greedy, each as it comes", ", greedy: translation", None),
    Comparison("memory of translation, beam 5", ", beam 5: translation, memory", None, inverted=True),
)


def ratios(findings: Findings, ours: Sequence[Runner], others: Sequence[Runner]) -> Iterator[Row]:
    """Yield ratios that are above 1 where ours is better, and say of what to what each is."""
    for comparison in COMPARISONS:
        for one in ours:
            for other in others:
                pair = comparison.key(one), comparison.key(other)
                names = one.name, other.name
                if comparison.inverted:
                    pair, names = pair[::-1], names[::-1]
                found = findings.compared(*pair)
                if found is not None:
                    yield Row(
                        f"ratio, {comparison.title}: {' to '.join(names)}",
                        found.median,
                        "times",
                        f"in the same round; {found.spread(2)}",
                    )
