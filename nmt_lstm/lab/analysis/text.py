"""An analysis as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.lab.analysis.analyst import Analysis
from nmt_lstm.plain_text import columns

__all__ = ["analysis_text"]

_LINES_NAMED = 5


def analysis_text(found: Analysis) -> str:
    """Return the tables of an analysis."""
    where = "the references" if found.frequency_text == "test set" else "the training text"
    rare = "the source text" if found.frequency_text == "test set" else "the training text"
    copied = found.copied
    repeated = [
        (
            "words in a row" if each.order == 1 else f"{each.order}-grams",
            f"{each.per_thousand:.1f}",
            f"{each.reference_per_thousand:.1f}",
            ", ".join(f"{line:,}" for line in each.lines[:_LINES_NAMED]),
        )
        for each in found.repetitions
    ]
    parts = [
        f"By length of the source, in {found.length_unit}",
        columns(
            [
                ("", "sentences", "BLEU", "BP", "ratio"),
                *(
                    (
                        bucket.label,
                        f"{bucket.sentences:,}",
                        f"{bucket.bleu:.2f}",
                        f"{bucket.brevity_penalty:.3f}",
                        f"{bucket.length_ratio:.3f}",
                    )
                    for bucket in found.by_source_length
                ),
            ],
            right=None,
            indent="  ",
        ),
        "",
        f"By how often the target word occurs in {where}, in percent",
        columns(
            [
                ("", "words", "precision", "recall", "F1"),
                *(
                    (
                        bucket.label,
                        f"{bucket.words:,}",
                        f"{bucket.precision:.1f}",
                        f"{bucket.recall:.1f}",
                        f"{bucket.f1:.1f}",
                    )
                    for bucket in found.by_word_frequency
                ),
            ],
            right=None,
            indent="  ",
        ),
        "",
        "Repeated within a sentence, of 1,000",
        columns([("", "output", "reference", "worst lines"), *repeated], right=None, indent="  "),
        "",
        "Source words in the output that no reference has",
        f"  {copied.words:,}, {copied.per_thousand:.1f} of 1,000 words"
        + _listed([f"{word} ({count:,})" for word, count in copied.most_frequent]),
        f"Rare source words (at most twice in {rare}) left as they are",
        f"  {copied.untranslated_rare_words:,} of {copied.rare_words:,} ({copied.untranslated_share:.1f} %)"
        + _listed([f"{word} (line {line:,})" for line, word in copied.rare_examples]),
    ]
    return "\n".join(parts)


def _listed(examples: Sequence[str]) -> str:
    return f": {', '.join(examples)}" if examples else ""
