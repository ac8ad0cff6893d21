"""What ``evaluate`` adds to scores: an analysis of translations, and a comparison with others of the same text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.lines import input_lines

if TYPE_CHECKING:
    from nmt_lstm.lab.analysis.analyst import Analysis
    from nmt_lstm.lab.analysis.pair_report import PairReport

__all__ = ["analyse", "compare_outputs", "distinct_names"]


def analyse(
    lines: list[str],
    sources: list[str],
    references: list[list[str]],
    *,
    tokenize: str,
    source_language: str,
    train_source: Path | None,
    train_target: Path | None,
) -> Analysis:
    """Return the analysis of translations; word frequencies are those of the training text if it is named."""
    from nmt_lstm.evaluation.sentence_statistics import Scorer
    from nmt_lstm.evaluation.words import count_words, tokenizer_of_text, word_splitter
    from nmt_lstm.lab.analysis.analyst import Analyst

    source_tokenize = tokenizer_of_text(source_language, sources)
    source_counts, target_counts = (
        None if path is None else count_words(input_lines(path), word_splitter(name))
        for path, name in ((train_source, source_tokenize), (train_target, tokenize))
    )
    analyst = Analyst(
        sources,
        references[0],
        more_references=references[1:],
        source_tokenize=source_tokenize,
        tokenize=tokenize,
        source_frequency=source_counts,
        target_frequency=target_counts,
    )
    scorer = Scorer(references, metrics=["bleu"], tokenize=tokenize)
    return analyst.analyse(lines, scorer.statistics(lines)["bleu"])


def compare_outputs(
    names: tuple[str, str],
    outputs: tuple[list[str], list[str]],
    references: list[list[str]],
    sources: list[str] | None,
    tokenize: str,
) -> PairReport:
    """Return the comparison of two translations of the same text."""
    from nmt_lstm.evaluation.sentence_statistics import Scorer
    from nmt_lstm.lab.analysis.pair_report import pair_report

    scorer = Scorer(references, metrics=("bleu", "chrf", "ter"), tokenize=tokenize)
    statistics = (scorer.statistics(outputs[0]), scorer.statistics(outputs[1]))
    return pair_report(names, statistics, outputs, references=references, sources=sources)


def distinct_names(first: Path, second: Path) -> tuple[str, str]:
    """Return the files' names, or their paths if the names are the same."""
    if first.name != second.name:
        return first.name, second.name
    return str(first), str(second)
