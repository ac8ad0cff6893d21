"""PairedTest of two outputs on a test set, by all metrics and in the sentences in which they differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nmt_lstm.evaluation.columns import NOT_SIGNIFICANT, p_value, signed
from nmt_lstm.evaluation.sentence_statistics import SentenceStatistics
from nmt_lstm.evaluation.significance import PairedTest, compare
from nmt_lstm.lab.analysis.analyst import most_different
from nmt_lstm.lab.report.table import Column, Table

__all__ = ["PairReport", "SentencePair", "pair_report"]

_MAX_NAME = 30
_TESTED = ("score", "other_score", "difference", "p_bootstrap", "p_randomisation", "significant")


@dataclass(frozen=True)
class SentencePair:
    """The translations of a sentence by two systems."""

    line: int
    """Its number, from 1."""
    source: str | None
    """None if unknown."""
    references: tuple[str, ...]
    score: float
    """chrF of the first system's translation."""
    hypothesis: str
    other_score: float
    """chrF of the second system's translation."""
    other_hypothesis: str


@dataclass(frozen=True)
class PairReport:
    """The comparison of two systems."""

    system: str
    other: str
    metric_names: dict[str, str]
    """The name that sacreBLEU uses, by metric."""
    signatures: dict[str, str]
    """Signatures by metric."""
    comparisons: dict[str, PairedTest]
    """Comparisons by metric; differences are `system` minus `other`."""
    sentences: list[SentencePair]
    """Sentences in which they differ most, by chrF."""

    def text(self) -> str:
        """Return the comparison as text for a terminal."""
        one, other = _shortened(self.system), _shortened(self.other)
        rows = [
            [
                self.metric_names[metric],
                f"{test.score:.2f}",
                f"{test.other_score:.2f}",
                f"{'' if test.significant else f'{NOT_SIGNIFICANT} '}{signed(test.difference)}",
                p_value(test.p_bootstrap),
                p_value(test.p_randomisation),
            ]
            for metric, test in self.comparisons.items()
        ]
        heads = [
            Column(head, numeric=True)
            for head in (one, other, "difference", "p bootstrap", "p randomisation")
        ]
        lines = [Table("", [Column(""), *heads], rows).text("  ")]
        if not all(test.significant for test in self.comparisons.values()):
            lines.append(f"{NOT_SIGNIFICANT} not significant: p >= 0.05 in one or both tests")
        if self.sentences:
            lines += ["", "Sentences that differ most, with their chrF"]
        width = max(map(len, ("reference", one, other)))
        for each in self.sentences:
            lines += ["", f"line {each.line:,}"]
            if each.source is not None:
                lines.append(f"  {'source':{width}}         {each.source}")
            lines += [f"  {'reference':{width}}         {text}" for text in each.references]
            lines.append(f"  {one:{width}}  {each.score:5.1f}  {each.hypothesis}")
            lines.append(f"  {other:{width}}  {each.other_score:5.1f}  {each.other_hypothesis}")
        return "\n".join(line.rstrip() for line in lines)

    def values(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "system": self.system,
            "other": self.other,
            "metrics": {
                metric: {
                    "name": self.metric_names[metric],
                    "signature": self.signatures[metric],
                    **{field: getattr(test, field) for field in _TESTED},
                }
                for metric, test in self.comparisons.items()
            },
            "sentences": [asdict(each) for each in self.sentences],
        }


def pair_report(
    names: tuple[str, str],
    statistics: tuple[Mapping[str, SentenceStatistics], Mapping[str, SentenceStatistics]],
    outputs: tuple[Sequence[str], Sequence[str]],
    *,
    references: Sequence[Sequence[str]],
    sources: Sequence[str] | None = None,
    sentences: int = 10,
) -> PairReport:
    """Compare two systems.

    Args:
        names: the two names.
        statistics: the statistics of each system by metric, including "chrf".
        outputs: the lines of each output.
        references: one or more reference translations.
        sources: the source lines; None if unknown.
        sentences: the most sentences to include.

    Raises:
        DataError: the statistics have different signatures or numbers of sentences.
    """
    one, other = statistics
    pairs = [
        SentencePair(
            each.line,
            None if sources is None else sources[each.line - 1],
            tuple(text[each.line - 1] for text in references),
            each.score,
            outputs[0][each.line - 1],
            each.other_score,
            outputs[1][each.line - 1],
        )
        for each in most_different(one["chrf"], other["chrf"], count=sentences)
    ]
    return PairReport(
        *names,
        {metric: each.name for metric, each in one.items()},
        {metric: each.signature for metric, each in one.items()},
        {metric: compare(one[metric], other[metric]) for metric in one},
        pairs,
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"
