"""An analysis as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.lab.analysis.analyst import Analysis
from nmt_lstm.lab.report.table import Column, Table

__all__ = ["analysis_text"]

_MAX_LINES = 5


def analysis_text(analysis: Analysis) -> str:
    """Return the tables of an analysis."""
    in_test_set = analysis.frequency_text == "test set"
    target, source = ("references", "source text") if in_test_set else ("training text", "training text")
    tables = [
        Table(
            f"By source length, in {analysis.length_unit}",
            _columns("sentences", "BLEU", "BP", "ratio"),
            [
                [
                    bucket.label,
                    f"{bucket.sentences:,}",
                    f"{bucket.bleu:.2f}",
                    f"{bucket.brevity_penalty:.3f}",
                    f"{bucket.length_ratio:.3f}",
                ]
                for bucket in analysis.by_source_length
            ],
        ),
        Table(
            f"By number of occurrences of the target word in the {target}, in percent",
            _columns("words", "precision", "recall", "F1"),
            [
                [
                    bucket.label,
                    f"{bucket.words:,}",
                    f"{bucket.precision:.1f}",
                    f"{bucket.recall:.1f}",
                    f"{bucket.f1:.1f}",
                ]
                for bucket in analysis.by_word_frequency
            ],
        ),
        Table(
            "Repetitions within a sentence, per 1,000",
            _columns("output", "reference", "worst lines"),
            [
                [
                    "repeated words" if each.order == 1 else f"{each.order}-grams",
                    f"{each.per_thousand:.1f}",
                    f"{each.reference_per_thousand:.1f}",
                    ", ".join(f"{line:,}" for line in each.lines[:_MAX_LINES]),
                ]
                for each in analysis.repetitions
            ],
        ),
    ]
    copied = analysis.copied
    words = [f"{word} ({count:,})" for word, count in copied.most_frequent]
    rare_words = [f"{word} (line {line:,})" for line, word in copied.rare_examples]
    blocks = [f"{table.caption}\n{table.text('  ')}" for table in tables]
    blocks.append(
        f"Source words in the output that no reference contains\n"
        f"  {copied.words:,}, {copied.per_thousand:.1f} per 1,000 words{_listed(words)}\n"
        f"Rare source words (at most twice in the {source}) left untranslated\n"
        f"  {copied.untranslated_rare_words:,} of {copied.rare_words:,} ({copied.untranslated_share:.1f} %)"
        f"{_listed(rare_words)}"
    )
    return "\n\n".join(blocks)


def _columns(*titles: str) -> list[Column]:
    return [Column("", label=True), *(Column(title, numeric=True) for title in titles)]


def _listed(examples: Sequence[str]) -> str:
    return f": {', '.join(examples)}" if examples else ""
