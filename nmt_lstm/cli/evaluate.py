"""``nmt-lstm evaluate``: BLEU, chrF and TER through sacreBLEU, always with their signatures."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    Plugins,
    Precision,
    PrecisionName,
    SearchOverrides,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.lines import input_lines, output_stream, read_all_lines
from nmt_lstm.cli.messages import note, say
from nmt_lstm.cli.score import check_counts
from nmt_lstm.cli.score_report import report_json, report_text
from nmt_lstm.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from nmt_lstm.lab.analysis.analyst import Analysis
    from nmt_lstm.lab.analysis.pair_report import PairReport

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)

EXAMPLE = """\b
Examples:
  nmt-lstm evaluate -m runs/de-en -s test.de -r test.en
  nmt-lstm evaluate --hypotheses out.en -r test.en
  nmt-lstm evaluate --hypotheses out.en -r test.en -r test2.en
  nmt-lstm evaluate --hypotheses out.ja -r test.ja --tokenize ja-mecab
  nmt-lstm evaluate --hypotheses out.en -s test.de -r test.en --analysis
  nmt-lstm evaluate --hypotheses a.en --against b.en -r test.en"""


class TableFormat(StrEnum):
    """How scores are written."""

    table = "table"
    json = "json"


def evaluate(
    reference: Annotated[
        list[Path],
        typer.Option(
            "--reference",
            "-r",
            metavar="FILE",
            help="Reference translations, one per line; may be repeated: several references of each line.",
        ),
    ],
    hypotheses: Annotated[
        Path | None,
        typer.Option("--hypotheses", metavar="FILE", help="Translations to score, instead of -m and -s."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model", "-m", metavar="FOLDER", help="Model folder that translates -s; several: an ensemble."
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--source", "-s", metavar="FILE", help="Source text, for -m and for --analysis."),
    ] = None,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Also write the translations of -m here."),
    ] = None,
    tokenize: Annotated[
        str,
        typer.Option(
            "--tokenize",
            metavar="NAME",
            help="sacreBLEU's tokenizer: 13a, char, ja-mecab, zh, intl, none; auto is the model's; without one, char for text without blanks, else 13a.",
        ),
    ] = "auto",
    analysis: Annotated[
        bool,
        typer.Option(
            "--analysis",
            help="Also: by length, by word frequency, repetitions, copied and untranslated words.",
        ),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Another output: is the difference significant, and where is it?",
        ),
    ] = None,
    train_source: Annotated[
        Path | None,
        typer.Option("--train-source", metavar="FILE", help="For --analysis: count word frequencies here."),
    ] = None,
    train_target: Annotated[
        Path | None, typer.Option("--train-target", metavar="FILE", help="The same, for target words.")
    ] = None,
    table_format: Annotated[
        TableFormat, typer.Option("--format", help="For people, or for programs.")
    ] = TableFormat.table,
    beam_size: BeamSize = None,
    overrides: SearchOverrides = None,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Score translations against references: BLEU, chrF and TER by sacreBLEU, with signatures."""
    if (hypotheses is None) == (not model):
        raise ConfigurationError("name either --hypotheses FILE, or -m FOLDER with -s FILE.")
    if model and source is None:
        raise ConfigurationError("-m translates the text of -s: name it, such as -s test.de.")
    if overrides and not model:
        raise ConfigurationError(
            "--set changes the search of a model; with --hypotheses nothing is searched."
        )
    if analysis and source is None:
        raise ConfigurationError("--analysis needs the source text: -s test.de.")
    check_options(
        reference, (source, hypotheses, against, train_source, train_target), output_file, model, device
    )
    search = early_checks.check_search(model, overrides) if model else None
    from nmt_lstm.evaluation.scores import check_tokenizer, corpus_scores
    from nmt_lstm.evaluation.words import guess_tokenizer

    if tokenize != "auto":
        check_tokenizer(tokenize)
    references = read_references(reference)
    sources: list[str] | None = None
    if source is not None:
        sources = read_all_lines(source)
        check_counts(source, len(sources), reference[0], len(references[0]))
    source_language = ""
    if hypotheses is not None:
        lines = read_all_lines(hypotheses)
        check_counts(hypotheses, len(lines), reference[0], len(references[0]))
        warn(hypotheses, lines, references, sources)
        tokenizer = guess_tokenizer(references[0]) if tokenize == "auto" else tokenize
    else:
        load_plugins(plugin, trusted=(model or []) if trust_plugins else [])
        from nmt_lstm.inference.translator import Translator

        assert sources is not None
        translator = Translator.load(model or [], device=device, precision=precision.value)
        tokenizer = translator.tokenizer if tokenize == "auto" else tokenize
        source_language = translator.run.data.source_language if analysis else ""
        start = time.perf_counter()
        lines = [
            translation.text
            for translation in translator.stream(
                sources, beam_size=beam_size, batch_size=batch_size, search=search, alignment=False
            )
        ]
        seconds = time.perf_counter() - start
        note(
            f"{len(lines):,} sentences translated in {seconds:.1f} s ({len(lines) / seconds:.0f} per second)."
        )
        if output_file is not None:
            with output_stream(output_file, inputs=(source, *reference)) as stream:
                stream.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
    scores = corpus_scores(lines, references[0], more_references=references[1:], tokenize=tokenizer)
    found: Analysis | None = None
    if analysis and sources is not None:
        found = analysed(
            lines,
            sources,
            references,
            tokenize=tokenizer,
            source_language=source_language,
            train_source=train_source,
            train_target=train_target,
        )
    pair: PairReport | None = None
    if against is not None:
        pair = compared(
            (hypotheses or Path("the model"), against), reference[0], lines, references, sources, tokenizer
        )
    if table_format is TableFormat.table:
        say(report_text(scores, found, pair))
    else:
        sys.stdout.write(report_json(scores, found, pair) + "\n")


def check_options(
    reference: list[Path],
    inputs: Sequence[Path | None],
    output_file: Path | None,
    model: list[Path] | None,
    device: str,
) -> None:
    """Refuse files and folders that cannot be used, before anything is read or computed.

    Raises:
        ConfigurationError: a reference is named twice, or there is no such device.
        DataError: a file is missing, or the output cannot be written.
        ModelFolderError: a folder is no model.
    """
    for number, path in enumerate(reference):
        if path in reference[:number]:
            raise ConfigurationError(
                f"-r '{path}' is named twice; name each reference once: the same text twice is one reference."
            )
    early_checks.check_models(model or [], device)
    early_checks.check_files(*reference, *inputs)
    early_checks.check_output(output_file, (*reference, *inputs))


def read_references(paths: list[Path]) -> list[list[str]]:
    """Return the lines of each reference.

    Raises:
        DataError: a file cannot be read or is blank, or they differ in length.
    """
    references = [read_all_lines(path) for path in paths]
    for path, lines in zip(paths, references, strict=True):
        check_counts(path, len(lines), paths[0], len(references[0]))
        if not any(line.strip() for line in lines):
            raise DataError(f"'{path}' holds only blank lines; there is nothing to score against.")
    return references


def warn(path: Path, lines: list[str], references: list[list[str]], sources: list[str] | None) -> None:
    """Warn of what does not look like plain text."""
    from nmt_lstm.lab.analysis.text_checks import text_warnings

    for warning in text_warnings(lines, references[0], sources, more_references=references[1:]):
        logger.warning("'%s': %s", path, warning)


def analysed(
    lines: list[str],
    sources: list[str],
    references: list[list[str]],
    *,
    tokenize: str,
    source_language: str,
    train_source: Path | None,
    train_target: Path | None,
) -> Analysis:
    """Return the analysis of an output; words are counted in the training text if it is given."""
    from nmt_lstm.evaluation.sentence_statistics import Scorer
    from nmt_lstm.evaluation.words import count_words, tokenizer_of_text, word_splitter
    from nmt_lstm.lab.analysis.analyst import Analyst

    source_tokenize = tokenizer_of_text(source_language, sources)
    counts = [
        None if path is None else count_words(input_lines(path), word_splitter(name))
        for path, name in ((train_source, source_tokenize), (train_target, tokenize))
    ]
    analyst = Analyst(
        sources,
        references[0],
        more_references=references[1:],
        source_tokenize=source_tokenize,
        tokenize=tokenize,
        source_frequency=counts[0],
        target_frequency=counts[1],
    )
    scorer = Scorer(references, metrics=["bleu"], tokenize=tokenize)
    return analyst.analyse(lines, scorer.statistics(lines)["bleu"])


def compared(
    paths: tuple[Path, Path],
    reference: Path,
    lines: list[str],
    references: list[list[str]],
    sources: list[str] | None,
    tokenize: str,
) -> PairReport:
    """Return the comparison with another output."""
    from nmt_lstm.evaluation.sentence_statistics import Scorer
    from nmt_lstm.lab.analysis.pair_report import pair_report

    theirs = read_all_lines(paths[1])
    check_counts(paths[1], len(theirs), reference, len(references[0]))
    warn(paths[1], theirs, references, sources)
    scorer = Scorer(references, metrics=("bleu", "chrf", "ter"), tokenize=tokenize)
    names = (
        (paths[0].name, paths[1].name) if paths[0].name != paths[1].name else (str(paths[0]), str(paths[1]))
    )
    return pair_report(
        names,
        (scorer.statistics(lines), scorer.statistics(theirs)),
        (lines, theirs),
        references=references,
        sources=sources,
    )
