"""``nmt-lstm translate``: one output line for each input line, from files, pipes or a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    LanguageModel,
    LanguageModelWeight,
    Models,
    OutputPath,
    Plugins,
    Precision,
    PrecisionName,
    SearchOverrides,
    Tag,
    TranslationFormat,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.bulk import BulkOptions
from nmt_lstm.cli.chunk_worker import LoadOptions
from nmt_lstm.cli.html_document import check_html_options, translate_document
from nmt_lstm.cli.jobs import translate_in_jobs
from nmt_lstm.cli.line_options import (
    Keep,
    KeepAs,
    KeepPatterns,
    SourceLanguage,
    SplitSentences,
    text_options,
)
from nmt_lstm.cli.lines import consecutive_chunks, input_lines, output_stream
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.ray_jobs import Engine, require_ray, translate_with_ray
from nmt_lstm.cli.requests import AvoidFile, Constraints, Prefix, Prefixes, RequestOptions, TermsFile
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.cli.text_input import text_lines
from nmt_lstm.cli.translate_options import (
    Alignments,
    BeamGroups,
    Diversity,
    EngineName,
    Format,
    InputFile,
    Interactive,
    Jobs,
    Merge,
    NBest,
    PartLines,
    Probabilities,
    Resume,
    Scores,
    Shard,
    WordAlignments,
)
from nmt_lstm.cli.translation_output import OutputFormat
from nmt_lstm.errors import ConfigurationError

if TYPE_CHECKING:
    from nmt_lstm.inference.requests import TranslationRequest
    from nmt_lstm.inference.translation import Translation

__all__ = ["translate"]

EPILOG = """\b
Examples:
  nmt-lstm translate -m runs/de-en < in.de > out.en
  nmt-lstm translate -m runs/de-en -i in.de.gz -o out.en
  echo "Ein Hund." | nmt-lstm translate -m runs/de-en --n-best 3 --scores
  nmt-lstm translate -m runs/a -m runs/b --format jsonl < in.de
  nmt-lstm translate -m runs/de-en --terms terms.tsv < in.de
  nmt-lstm translate -m runs/de-en --n-best 5 --beam-groups 5 < in.de
  nmt-lstm translate -m runs/de-en --lm runs/lm --lm-weight 0.2 < in.de
  nmt-lstm translate -m runs/de-en --set search.method=sampling < in.de
  nmt-lstm translate -m runs/de-en --keep placeholders,urls < in.de
  nmt-lstm translate -m runs/de-en --format html -i de.html -o en.html
\b
Output:
  One line for each input line; an empty line stays empty.
  --n-best N: N different lines for each input line, best first. If the search
  finds fewer, the last ones are empty; a larger --beam-size finds more.
  --scores: the score and a tab before the text.
  --alignments: a tab after the text, then pairs such as 0-0 2-1, from 0: the
  source piece that each target piece attended to most, and the target piece.
  Pieces that attended most to the end of the source are left out.
  --format jsonl: one JSON object per line, with all hypotheses and pieces.
  --format html: a document whose text is translated, with the tags in place.
  Lines are written after every 64 batches. Ctrl-C keeps the lines written so
  far, also in the file of -o, and exits with status 130."""


def translate(
    context: typer.Context,
    model: Models,
    input_file: InputFile = None,
    output_file: OutputPath = None,
    beam_size: BeamSize = None,
    beam_groups: BeamGroups = None,
    diversity: Diversity = None,
    language_model: LanguageModel = None,
    language_model_weight: LanguageModelWeight = None,
    overrides: SearchOverrides = None,
    n_best: NBest = 1,
    batch_size: BatchSize = 64,
    scores: Scores = False,
    alignments: Alignments = False,
    word_alignments: WordAlignments = False,
    probabilities: Probabilities = False,
    line_format: Format = TranslationFormat.text,
    prefix: Prefix = "",
    prefixes: Prefixes = None,
    constraints: Constraints = None,
    terms: TermsFile = None,
    avoid: AvoidFile = None,
    keep: Keep = "",
    keep_pattern: KeepPatterns = None,
    keep_as: KeepAs = "",
    split_sentences: SplitSentences = False,
    source_language: SourceLanguage = "",
    tag: Tag = "",
    interactive: Interactive = False,
    jobs: Jobs = 1,
    engine: EngineName = Engine.processes,
    resume: Resume = False,
    shard: Shard = "",
    merge: Merge = False,
    part_lines: PartLines = None,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Translate text, line by line."""
    if line_format is TranslationFormat.html:
        check_html_options(context)
    early_checks.check_models(model, device)
    early_checks.check_language_model(model, language_model, language_model_weight)
    options = {
        "beam_groups": beam_groups,
        "diversity": diversity,
        "language_model_weight": language_model_weight,
    }
    chosen = [f"search.{name}={value}" for name, value in options.items() if value is not None]
    search = early_checks.check_search(
        model, [*(overrides or ()), *chosen], beam_size=beam_size, n_best=n_best
    )
    from_stdin = input_file is None or str(input_file) == "-"
    if from_stdin:
        check_stdin()
    at_terminal = from_stdin and sys.stdin.isatty()
    line_by_line = interactive or at_terminal
    if engine is Engine.ray:
        require_ray()
    if line_by_line and (jobs > 1 or engine is Engine.ray):
        raise ConfigurationError("--jobs is for files and pipes; remove it to translate line by line.")
    if probabilities and line_format is not TranslationFormat.jsonl:
        raise ConfigurationError("--probabilities needs --format jsonl.")
    bulk_options = BulkOptions(
        resume=resume, shard=shard, merge=merge, part_lines=part_lines, interactive=interactive
    )
    early_checks.check_tag(model, tag)
    request_options = RequestOptions(prefix, prefixes, constraints, terms, avoid, tag)
    text = text_options(
        keep=keep,
        patterns=keep_pattern,
        keep_as=keep_as,
        split_sentences=split_sentences,
        source_language=source_language,
    )
    early_checks.check_keep_as(model, text)
    early_checks.check_files(input_file, *request_options.files)
    request_options.check(search, partial(early_checks.check_tag, model))
    early_checks.check_output(output_file, (input_file, *request_options.files))
    bulk = bulk_options.output(input_file, output_file, context)
    if bulk is not None and (bulk.is_finished() or (merge and bulk.merge())):
        return
    trusted = [*model, *([language_model] if language_model else [])] if trust_plugins else []
    load_plugins(plugin, trusted=trusted)
    from nmt_lstm.inference.translator import WINDOW_BATCHES, Translator
    from nmt_lstm.text.lines import LineWarnings

    translator = Translator.load(
        model, device=device, precision=precision.value, language_model=language_model
    )
    if line_format is TranslationFormat.html:
        translate_document(
            translator,
            input_file,
            output_file,
            beam_size=beam_size,
            batch_size=batch_size,
            search=search,
            text=text,
            requests=request_options.requests,
        )
        return
    if at_terminal:
        note("Type a sentence after '>' and press Enter; its translation follows. Press ctrl-D to end.")
    output = OutputFormat(
        line_format, n_best, scores=scores, alignments=alignments, word_alignments=word_alignments
    )
    arguments: dict[str, Any] = {
        "beam_size": beam_size,
        "n_best": n_best,
        "batch_size": 1 if line_by_line else batch_size,
        "search": search,
        "alignment": output.needs_alignment,
        "probabilities": probabilities,
        "text": text,
    }
    warnings = LineWarnings(translations=True)
    chunk_end = bulk.parts.job.part_lines if bulk is not None else 0

    def translated(numbered: Iterator[tuple[int, str | TranslationRequest]]) -> Iterator[Translation]:
        """Yield the translations of numbered lines in order."""
        if jobs > 1 or engine is Engine.ray:
            loading = LoadOptions(model, device, precision.value, plugin or [], trusted, language_model)
            in_parallel = translate_with_ray if engine is Engine.ray else translate_in_jobs
            yield from in_parallel(numbered, loading, jobs, part_lines=chunk_end, **arguments)
            return
        window = 1 if line_by_line else batch_size * WINDOW_BATCHES
        for first_line, chunk in consecutive_chunks(numbered, window, part_lines=chunk_end):
            yield from translator.stream(
                chunk, window=window, first_line=first_line, warnings=warnings, **arguments
            )

    lines = request_options.requests(
        prompted(input_lines(input_file)) if at_terminal else text_lines(input_file, "translate")
    )
    written = 0
    try:
        if bulk is not None:
            bulk.run(lines, lambda numbered: map(output.lines_of, translated(numbered)))
            return
        with output_stream(output_file, inputs=(input_file,)) as stream:
            for translation in translated(enumerate(lines, start=1)):
                stream.write(output.lines_of(translation))
                written += 1
                if line_by_line:
                    stream.flush()
    except KeyboardInterrupt:
        if at_terminal:  # the translations are on the screen
            note("\nInterrupted.")
        elif bulk is not None:
            note(f"\nInterrupted: {bulk.state()}. The same command continues.")
        elif written:
            lines_have = "line has" if written == 1 else f"{written:,} lines have"
            note(f"\nInterrupted: the first {lines_have} been translated and written.")
        else:
            note("\nInterrupted before the first lines were written. A smaller --batch-size writes sooner.")
        raise typer.Exit(130) from None


def prompted(lines: Iterator[str]) -> Iterator[str]:
    """Yield typed lines, with a prompt before each that distinguishes them from their translations."""
    while True:
        sys.stderr.write("> ")
        sys.stderr.flush()
        line = next(lines, None)
        if line is None:
            note()
            return
        yield line
