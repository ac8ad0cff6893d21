"""Analyses of the ranked outputs, as sections of the page."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from nmt_lstm.errors import NmtLstmError
from nmt_lstm.evaluation.words import count_words, tokenizer_of_text, word_splitter
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.lab.analysis.analyst import Analysis, Analyst, most_different
from nmt_lstm.lab.leaderboard.board import Leaderboard
from nmt_lstm.lab.leaderboard.ranking import RankedRow, Ranking
from nmt_lstm.lab.leaderboard.record import Row
from nmt_lstm.lab.leaderboard.store import BoardFiles
from nmt_lstm.lab.leaderboard.test_sets import resolve_path
from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.lab.report.page import section
from nmt_lstm.lab.report.table import Column, Table, TableCell, number
from nmt_lstm.lab.report.word_differences import marked_differences
from nmt_lstm.text.text_file import check_rereadable, read_lines

__all__ = ["analysis_sections"]

_COUNTED_LINES = 200_000
_COPIES_SHOWN = 5

_Analyses = Sequence[tuple[str, Analysis]]  # by system

logger = logging.getLogger(__name__)


def analysis_sections(
    board: Leaderboard, ranking: Ranking, *, baseline: str | None, sentences: int
) -> Markup:
    """Return sections about lengths, word frequencies, repetitions and copies, and differing sentences."""
    first = ranking.rows[0].row
    sources = board.files.text(first.source)
    references = [board.files.text(digest) for digest in first.references]
    analyst = _analyst(board, first, sources, references)
    analyses = []
    for each in ranking.rows:
        statistics = board.scoring.statistics_of(each.row)["bleu"]
        analyses.append((each.row.system, analyst.analyse(board.files.text(each.row.hypotheses), statistics)))
    return joined(
        _by_length(analyses),
        _by_frequency(analyses),
        _faults(analyses),
        _sentences(board, ranking, sources, references, baseline=baseline, count=sentences),
    )


def _analyst(
    board: Leaderboard, row: Row, sources: Sequence[str], references: Sequence[Sequence[str]]
) -> Analyst:
    source_tokenize = tokenizer_of_text(row.source_language, sources)
    settings = board.settings.test_sets.get(row.test_set)  # None: it is no longer in board.toml

    def frequencies(path: Path | None, tokenize: str) -> Counter[str] | None:
        if path is None:
            return None
        return _training_words(resolve_path(path, board.folder), tokenize, board.files)

    return Analyst(
        sources,
        references[0],
        more_references=references[1:],
        source_tokenize=source_tokenize,
        tokenize=row.tokenize,
        source_frequency=frequencies(settings.train_source if settings else None, source_tokenize),
        target_frequency=frequencies(settings.train_target if settings else None, row.tokenize),
    )


def _training_words(path: Path, tokenize: str, files: BoardFiles) -> Counter[str] | None:
    """Return word counts of the first lines of a training text, which are cached; None if it cannot be read."""
    try:
        check_rereadable(path)
        state = path.stat()
        identity = f"{path} {state.st_size} {state.st_mtime_ns} {tokenize} {_COUNTED_LINES}"
        key = sha256_of_content(identity)[:32]
        counts = files.cache.counts(key)
        if counts is None:
            counts = count_words(itertools.islice(read_lines(path), _COUNTED_LINES), word_splitter(tokenize))
            files.cache.put_counts(key, counts)
    except (OSError, NmtLstmError) as problem:
        reason = f"'{path}': {problem.strerror}" if isinstance(problem, OSError) else problem
        logger.warning("word frequencies are counted in the test set: %s.", str(reason).rstrip("."))
        return None
    return counts


def _by_length(analyses: _Analyses) -> Markup:
    first = analyses[0][1]
    return _section(
        "By source length",
        f"BLEU and brevity penalty by number of source {first.length_unit}; below each length, the number of sentences.",
        analyses,
        [
            Column(each.label, numeric=True, note=f"{each.sentences:,}", falling=True)
            for each in first.by_source_length
        ],
        lambda analysis: [
            number(each.bleu, ".1f", f"BP {each.brevity_penalty:.2f}") for each in analysis.by_source_length
        ],
    )


def _by_frequency(analyses: _Analyses) -> Markup:
    first = analyses[0][1]
    where = "the references" if first.frequency_text == "test set" else "the training text"
    return _section(
        "By word frequency",
        f"F1 in percent (precision / recall) of target words, by how often they occur in {where}; below each frequency, the "
        f"number of reference words.",
        analyses,
        [
            Column(each.label, numeric=True, note=f"{each.words:,}", falling=True)
            for each in first.by_word_frequency
        ],
        lambda analysis: [
            number(each.f1, ".1f", f"{each.precision:.0f} / {each.recall:.0f}")
            for each in analysis.by_word_frequency
        ],
    )


def _faults(analyses: _Analyses) -> Markup:
    first = analyses[0][1]
    titles = [f"{each.order}-grams" if each.order > 1 else "words" for each in first.repetitions]
    expected = ", ".join(f"{each.reference_per_thousand:.1f}" for each in first.repetitions)

    def cells(analysis: Analysis) -> list[TableCell]:
        copied = analysis.copied
        rare = f"{copied.untranslated_rare_words:,} of {copied.rare_words:,}"
        most = ", ".join(f"{word} {count}" for word, count in copied.most_frequent[:_COPIES_SHOWN])
        return [
            *(number(each.per_thousand, ".1f") for each in analysis.repetitions),
            number(copied.per_thousand, ".1f"),
            number(copied.untranslated_share, lambda share: f"{share:.1f} %", rare),
            TableCell(most, quiet=True),
        ]

    return _section(
        "Repetitions and copies",
        f"Repeated words and n-grams per 1,000 (references: {expected}). Copied: source words in the output that "
        f"no reference contains, per 1,000 words. Rare: source words that occur at most twice in the "
        f"{'source text' if first.frequency_text == 'test set' else 'training text'} and were left untranslated.",
        analyses,
        [
            *(Column(title, numeric=True, meaning="repeated") for title in titles),
            Column("copied", numeric=True),
            Column("rare", numeric=True, meaning="rare words left untranslated"),
            Column("most copied"),
        ],
        cells,
    )


def _section(
    heading: str,
    caption: str,
    analyses: _Analyses,
    columns: Sequence[Column],
    cells: Callable[[Analysis], Sequence[TableCell]],
) -> Markup:
    """Return a section with a table that has a row for each system."""
    rows: list[list[TableCell | str]] = [[system, *cells(analysis)] for system, analysis in analyses]
    return section(heading, Table(caption, [Column("system", label=True), *columns], rows).html(), level=3)


def _sentences(
    board: Leaderboard,
    ranking: Ranking,
    sources: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    baseline: str | None,
    count: int,
) -> Markup:
    pair = _pair(ranking.rows, baseline)
    if pair is None or count == 0:
        return Markup()
    statistics = [board.scoring.statistics_of(each.row)["chrf"] for each in pair]
    outputs = [board.files.text(each.row.hypotheses) for each in pair]
    blocks = []
    for difference in most_different(statistics[0], statistics[1], count=count):
        index = difference.line - 1
        marked = marked_differences(*(output[index] for output in outputs))
        lines = [(f"Source, line {difference.line:,}", sources[index])]
        lines += [("Reference", text[index]) for text in references]
        lines += [
            (f"{each.row.system} {score:.1f}", text)
            for each, score, text in zip(
                pair, (difference.score, difference.other_score), marked, strict=True
            )
        ]
        inner = [
            element("div", element("dt", name), element("dd", text or "(empty)")) for name, text in lines
        ]
        blocks.append(element("div", element("dl", *inner), class_="pair"))
    if not blocks:
        return Markup()
    names = " and ".join(each.row.system for each in pair)
    return section(
        "Where two systems differ most",
        element("p", f"{names}, with the chrF of each sentence; differing words are marked.", class_="meta"),
        *blocks,
        level=3,
    )


def _pair(rows: Sequence[RankedRow], baseline: str | None) -> tuple[RankedRow, RankedRow] | None:
    """Return the best system and the baseline, or the two best."""
    others = [each for each in rows[1:] if each.row.system == baseline] or list(rows[1:])
    return (rows[0], others[0]) if others else None
