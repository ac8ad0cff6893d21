"""Ratios of the measurements of nmt-lstm to those of each other toolkit in the same round."""

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
    """A measurement to compare.

    Args:
        title: title in the table.
        figure: name of the measurement, without the wiring.
        feeding: whether all use input feeding; None for the default of each toolkit.
        inverted: whether lower is better.
    """

    title: str
    figure: str
    feeding: bool | None
    inverted: bool = False

    def key(self, runner: Runner) -> tuple[str, str]:
        """Return the names of the toolkit and of its measurement."""
        feeding = runner.feeds_by_default if self.feeding is None else self.feeding
        return runner.name, f"{WIRINGS[feeding]}{self.figure}"


COMPARISONS = (
    Comparison("training, each with its defaults", ": training", None),
    Comparison("training, all without input feeding", ": training", False),
    Comparison("training, all with input feeding", ": training", True),
    Comparison("memory of training, each with its defaults", ": training, memory", None, inverted=True),
    Comparison("translation, beam 5, each with its defaults", ", beam 5: translation", None),
    Comparison("translation, greedy, each with its defaults", ", greedy: translation", None),
    Comparison("memory of translation, beam 5", ", beam 5: translation, memory", None, inverted=True),
)


def ratios(findings: Findings, ours: Sequence[Runner], others: Sequence[Runner]) -> Iterator[Row]:
    """Yield ratios, which are above 1 if nmt-lstm is better."""
    for comparison in COMPARISONS:
        for one in ours:
            for other in others:
                pair = comparison.key(one), comparison.key(other)
                names = one.name, other.name
                if comparison.inverted:
                    pair, names = pair[::-1], names[::-1]
                ratio = findings.ratio(*pair)
                if ratio is not None:
                    yield Row(
                        f"ratio, {comparison.title}: {' to '.join(names)}",
                        ratio.median,
                        "times",
                        f"in the same round; {ratio.spread(2)}",
                    )
