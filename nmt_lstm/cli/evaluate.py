"""``nmt-lstm evaluate``: BLEU, chrF and TER from sacreBLEU, always with their signatures."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    LanguageModel,
    LanguageModelWeight,
    Plugins,
    Precision,
    PrecisionName,
    SearchOverrides,
    Tag,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.forecast_scores import ForecastScoring, Season, forecast_json, forecast_table
from nmt_lstm.cli.label_scores import LabelScoring, label_json, label_table
from nmt_lstm.cli.lines import output_stream, read_all_lines, read_matching_lines
from nmt_lstm.cli.messages import note, say
from nmt_lstm.cli.output_analysis import analyse, compare_outputs, distinct_names
from nmt_lstm.cli.score_report import report_json, report_text, show_scores
from nmt_lstm.cli.text_input import check_text
from nmt_lstm.cli.text_scores import TextScoring, likelihood_json, likelihood_table, refuse_options
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import count_of

if TYPE_CHECKING:
    from nmt_lstm.lab.analysis.analyst import Analysis
    from nmt_lstm.lab.analysis.pair_report import PairReport

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)

EPILOG = """\b
Examples:
  nmt-lstm evaluate -m runs/de-en -s test.de -r test.en
  nmt-lstm evaluate --hypotheses out.en -r test.en
  nmt-lstm evaluate --hypotheses out.en -r test.en -r test2.en
  nmt-lstm evaluate --hypotheses out.ja -r test.ja --tokenize ja-mecab
  nmt-lstm evaluate --hypotheses out.en -s test.de -r test.en --analysis
  nmt-lstm evaluate --hypotheses a.en --against b.en -r test.en
  nmt-lstm evaluate -m runs/lm -s test.en
  nmt-lstm evaluate -m runs/series -s test.csv --season 24"""


class TableFormat(StrEnum):
    """How scores are written."""

    table = "table"
    json = "json"


def evaluate(
    reference: Annotated[
        list[Path] | None,
        typer.Option(
            "--reference",
            "-r",
            metavar="FILE",
            help="Reference translations, one per line; repeat for several references per line.",
        ),
    ] = None,
    hypotheses: Annotated[
        Path | None,
        typer.Option("--hypotheses", metavar="FILE", help="Translations to score, instead of -m and -s."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model", "-m", metavar="FOLDER", help="Model that translates -s; repeat for an ensemble."
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--source", "-s", metavar="FILE", help="Source text, for -m and --analysis."),
    ] = None,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Also write the translations of -m to this file."
        ),
    ] = None,
    tokenize: Annotated[
        str,
        typer.Option(
            "--tokenize",
            metavar="NAME",
            help="sacreBLEU tokenizer: 13a, char, ja-mecab, zh, intl or none. auto is the model's; with --hypotheses, "
            "char for text without spaces and 13a for other text.",
        ),
    ] = "auto",
    analysis: Annotated[
        bool,
        typer.Option(
            "--analysis",
            help="Add scores by sentence length and word frequency, repetitions, copied and untranslated words.",
        ),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Other translations to compare with, by significance tests and by sentence.",
        ),
    ] = None,
    train_source: Annotated[
        Path | None,
        typer.Option(
            "--train-source",
            metavar="FILE",
            help="Text for source word frequencies in --analysis; for a classifier, texts for a bag of words.",
        ),
    ] = None,
    train_target: Annotated[
        Path | None,
        typer.Option(
            "--train-target",
            metavar="FILE",
            help="Text for target word frequencies in --analysis; for a classifier, labels for a bag of words.",
        ),
    ] = None,
    season: Season = None,
    table_format: Annotated[
        TableFormat, typer.Option("--format", help="Table, or JSON.")
    ] = TableFormat.table,
    tag: Tag = "",
    beam_size: BeamSize = None,
    language_model: LanguageModel = None,
    language_model_weight: LanguageModelWeight = None,
    overrides: SearchOverrides = None,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Score translations with BLEU, chrF and TER, or other models.

    The scores are computed by sacreBLEU and shown with their signatures. A language model is scored by its perplexity on the
    text -s, a classifier by the labels -r of the texts -s, a forecaster by its errors on the CSV file -s.
    """
    if (hypotheses is None) == (not model):
        raise ConfigurationError("name either --hypotheses FILE, or -m FOLDER with -s FILE.")
    if model and source is None:
        raise ConfigurationError("-m needs a source text: -s test.de.")
    task = early_checks.task_of(model or [])
    of_translation: dict[str, Any] = {
        "output": output_file,
        "analysis": analysis,
        "against": against,
        "beam_size": beam_size,
        "lm": language_model,
        "lm_weight": language_model_weight,
        "set": overrides,
        "tag": tag,
    }
    of_labels: dict[str, Any] = {
        "reference": reference,
        "train_source": train_source,
        "train_target": train_target,
    }
    if task == "forecast":
        refuse_options(**of_translation, **of_labels, model="a forecaster")
        assert source is not None
        errors = ForecastScoring(model or [], source, season, device, plugin, trust_plugins)
        show_scores(errors, forecast_table, forecast_json, as_table=table_format is TableFormat.table)
        return
    if season is not None:
        raise ConfigurationError("--season is for a forecaster; leave it out.", key="--season", value=season)
    if task == "language-model":
        refuse_options(**of_translation, **of_labels)
        scoring = TextScoring(model or [], source, device, precision.value, batch_size, plugin, trust_plugins)
        show_scores(scoring, likelihood_table, likelihood_json, as_table=table_format is TableFormat.table)
        return
    if task == "classification":
        refuse_options(**of_translation, model="a classifier")
        labels = LabelScoring(
            model or [],
            source,
            reference or [],
            device,
            precision.value,
            batch_size,
            plugin,
            trust_plugins,
            train_source,
            train_target,
        )
        show_scores(labels, label_table, label_json, as_table=table_format is TableFormat.table)
        return
    if not reference:
        raise ConfigurationError("-r is missing: name the reference translations.", key="--reference")
    if overrides and not model:
        raise ConfigurationError("--set changes the search of a model, and --hypotheses needs no search.")
    if analysis and source is None:
        raise ConfigurationError("--analysis needs the source text: -s test.de.")
    _check_files(reference, (source, hypotheses, against, train_source, train_target), output_file)
    early_checks.check_models(model or [], device)
    search = None
    if language_model and not model:
        raise ConfigurationError("--lm takes part in the search of -m, and --hypotheses needs no search.")
    if model:
        early_checks.check_language_model(model, language_model, language_model_weight)
        weight = language_model_weight
        chosen = [] if weight is None else [f"search.language_model_weight={weight}"]
        search = early_checks.check_search(model, [*(overrides or ()), *chosen], beam_size=beam_size)
    if tag and not model:
        raise ConfigurationError("--tag is for the text that -m translates; remove it.")
    early_checks.check_tag(model or [], tag)
    from nmt_lstm.evaluation.scores import check_tokenizer, corpus_scores
    from nmt_lstm.evaluation.words import guess_tokenizer

    if tokenize != "auto":
        check_tokenizer(tokenize)
    references = read_references(reference)
    sources = None if source is None else read_matching_lines(source, reference[0], references[0])
    source_language = ""
    if hypotheses is not None:
        lines = read_matching_lines(hypotheses, reference[0], references[0])
        _warn_of_format(hypotheses, lines, references, sources)
        tokenizer = guess_tokenizer(references[0]) if tokenize == "auto" else tokenize
    else:
        folders = [*(model or []), *([language_model] if language_model else [])]
        load_plugins(plugin, trusted=folders if trust_plugins else [])
        from nmt_lstm.inference.requests import tagged
        from nmt_lstm.inference.translator import Translator

        assert sources is not None
        check_text(sources, source, "translate")
        translator = Translator.load(
            model or [], device=device, precision=precision.value, language_model=language_model
        )
        tokenizer = translator.tokenizer if tokenize == "auto" else tokenize
        source_language = translator.run.data.source_language if analysis else ""
        start = time.perf_counter()
        translations = translator.stream(
            tagged(sources, tag), beam_size=beam_size, batch_size=batch_size, search=search, alignment=False
        )
        lines = [translation.text for translation in translations]
        seconds = time.perf_counter() - start
        note(
            f"{count_of(len(lines), 'sentence')} translated in {seconds:.1f} s ({len(lines) / seconds:.0f} per second)."
        )
        if output_file is not None:
            with output_stream(output_file, inputs=(source, *reference)) as stream:
                stream.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
    scores = corpus_scores(lines, references[0], more_references=references[1:], tokenize=tokenizer)
    details: Analysis | None = None
    if analysis and sources is not None:
        details = analyse(
            lines,
            sources,
            references,
            tokenize=tokenizer,
            source_language=source_language,
            train_source=train_source,
            train_target=train_target,
        )
    comparison: PairReport | None = None
    if against is not None:
        other_lines = read_matching_lines(against, reference[0], references[0])
        _warn_of_format(against, other_lines, references, sources)
        names = distinct_names(hypotheses or Path("the model"), against)
        comparison = compare_outputs(names, (lines, other_lines), references, sources, tokenizer)
    if table_format is TableFormat.table:
        say(report_text(scores, details, comparison))
    else:
        sys.stdout.write(report_json(scores, details, comparison) + "\n")


def _check_files(reference: list[Path], inputs: Sequence[Path | None], output_file: Path | None) -> None:
    """Check the files before anything is read or computed.

    Raises:
        ConfigurationError: a reference is named twice.
        DataError: a file is missing, or the output cannot be written.
    """
    for number, path in enumerate(reference):
        if path in reference[:number]:
            raise ConfigurationError(
                f"-r '{path}' is named twice, which does not make a second reference; name each file once.",
                key="--reference",
                value=path,
            )
    early_checks.check_files(*reference, *inputs)
    early_checks.check_output(output_file, (*reference, *inputs))


def read_references(paths: list[Path]) -> list[list[str]]:
    """Return the lines of each reference.

    Raises:
        DataError: a file cannot be read or is blank, or the references differ in length.
    """
    first = read_all_lines(paths[0])
    references = [first, *(read_matching_lines(path, paths[0], first) for path in paths[1:])]
    for path, lines in zip(paths, references, strict=True):
        if not any(line.strip() for line in lines):
            raise DataError(f"'{path}' has only blank lines; there is nothing to score against.", path=path)
    return references


def _warn_of_format(
    path: Path, lines: list[str], references: list[list[str]], sources: list[str] | None
) -> None:
    """Warn of lines that do not look like plain text, such as unjoined subword pieces."""
    from nmt_lstm.lab.analysis.text_checks import text_warnings

    for warning in text_warnings(lines, references[0], sources, more_references=references[1:]):
        logger.warning("'%s': %s", path, warning)
