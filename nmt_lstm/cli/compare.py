"""``nmt-lstm compare``: which cell, attention, wiring or setting translates better, and is the difference noise?"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Overrides, Plugins, check_time_limit, load_plugins
from nmt_lstm.cli.messages import note, say
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import columns

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.lab.comparison.compare import ComparisonResult
    from nmt_lstm.lab.comparison.factors import Factor
    from nmt_lstm.lab.report.table import TableCell

__all__ = ["compare"]

EXAMPLE = """\b
Examples:
  nmt-lstm compare --cells rnn,gru,lstm -o report
  nmt-lstm compare run.toml --cells gru,lstm --seeds 1,2,3 \\
      --test-source test.de --test-target test.en -o report
  nmt-lstm compare run.toml --vary model.decoder.wiring=gnmt,input_feeding \\
      --match time --time-limit 20m -o report
  nmt-lstm compare run.toml --plugin mgu.py --cells gru,mgu -o report"""

# For the built-in corpus: six runs, two at a time, end in less than ten minutes on two cores. Averages of so short
# trainings are seldom taken, and comparing them would cost updates where the limit is near.
_BUILTIN_TRAINING = {
    "epochs": 4,
    "max_steps": 1_500,
    "validate_every": 250,
    "time_limit": "160s",
    "average": "none",
    # Networks that are compared must not be fitted to a machine. The rate is between what LSTM and GRU like best (0.01)
    # and what a plain RNN bears: after 900 updates an LSTM has BLEU 23 at 0.002 and 51 at 0.006.
    "fit_time_limit": False,
    "optimizer": {"learning_rate": 0.006},
}
_BUILTIN_TIME = "100s"
_FAILED = 1


def compare(
    run_file: Annotated[
        Path | None,
        typer.Argument(metavar="RUN.toml", help="Run file; without one, the built-in corpus is trained on."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the report and the runs.")
    ] = Path("comparison"),
    cells: Annotated[
        str, typer.Option("--cells", metavar="NAMES", help="Cells of encoder and decoder, such as gru,lstm.")
    ] = "",
    attentions: Annotated[
        str, typer.Option("--attentions", metavar="NAMES", help="Attentions, such as dot,bilinear.")
    ] = "",
    wirings: Annotated[
        str,
        typer.Option("--wirings", metavar="NAMES", help=f"Decoder wirings: {','.join(WIRINGS)}."),
    ] = "",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="KEY=VALUES",
            help="Any setting, such as model.dropout=0.1,0.3; may be repeated: all combinations are compared.",
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="NUMBERS", help="Each variant is trained once with each seed.")
    ] = "1,2",
    match: Annotated[
        str,
        typer.Option(
            "--match",
            metavar="WHAT",
            help="What all have the same of: parameters (hidden layers are sized for it; and updates), updates or time.",
        ),
    ] = "parameters",
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit", metavar="TIME", help='Of each training, such as "20m"; --match time needs it.'
        ),
    ] = None,
    test_source: Annotated[
        Path | None,
        typer.Option("--test-source", metavar="FILE", help="Text to translate and score in the end."),
    ] = None,
    test_target: Annotated[
        Path | None, typer.Option("--test-target", metavar="FILE", help="Its reference translation.")
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", min=0, metavar="N", help="Runs at a time; 0 is one for each GPU, or for each core."
        ),
    ] = 0,
    overrides: Overrides = None,
    plugin: Plugins = None,
) -> None:
    """Train variants with several seeds, compare them, and say which to take and how sure that is.

    A difference is called more than noise only if neither other test sentences nor other seeds would be likely to
    undo it. Each run is a process of its own; the same command goes on where it was interrupted.
    """
    check_time_limit(time_limit or "")
    if (test_source is None) != (test_target is None):
        raise ConfigurationError("name both --test-source and --test-target, or neither.")
    from nmt_lstm.config.load import make_run
    from nmt_lstm.lab.comparison.factors import parse_seeds, variants_of
    from nmt_lstm.lab.comparison.matching import parse_match

    matched = parse_match(match)
    numbers = parse_seeds(seeds)
    factors = _factors(cells, attentions, wirings, vary or [])
    values, folder = _settings(run_file, output, time_matched=matched.budget == "time")
    if run_file is None and test_source is None:
        corpus = Path(values["data"]["train_source"]).parent
        test_source, test_target = corpus / "test.en", corpus / "test.ja"
    limit = [f"training.time_limit={time_limit}"] if time_limit else []
    early_checks.check_report_folder(output)
    early_checks.check_files(test_source, test_target, reread=True)
    matched.check_factors(factors)
    more = [(), *(variant.overrides for variant in variants_of(factors))]
    for each in more:
        settings = [*limit, *(overrides or []), *each]
        run = make_run(values, settings, folder=folder, origin=str(run_file or "built-in corpus"))
        _check_run(run, names=not plugin)
    load_plugins(plugin)

    from nmt_lstm.lab.comparison.compare import Request
    from nmt_lstm.lab.comparison.compare import compare as run_comparison

    found = run_comparison(
        Request(
            values=values,
            factors=factors,
            seeds=numbers,
            match=matched,
            overrides=[*limit, *(overrides or [])],
            folder=folder,
            origin=str(run_file or "built-in corpus"),
            test_source=test_source,
            test_target=test_target,
            plugins=plugin or [],
            synthetic=run_file is None,
            jobs=jobs,
            command=shlex.join(["nmt-lstm", *sys.argv[1:]]),
        ),
        output,
        say=note,
    )
    _show(found)
    if found.failures:
        raise typer.Exit(_FAILED)


def _check_run(run: RunSettings, *, names: bool) -> None:
    """Refuse missing text and, if `names`, unknown cells and attentions, before torch is imported to train with them."""
    data = run.data
    early_checks.check_files(
        data.train_source, data.train_target, data.valid_source, data.valid_target, reread=True
    )
    if names:
        early_checks.check_names(run)


def _factors(cells: str, attentions: str, wirings: str, vary: list[str]) -> list[Factor]:
    from nmt_lstm.lab.comparison.factors import SHORT_NAMES, Factor, parse_factor, split_values

    short = {"cell": ("--cells", cells), "attention": ("--attentions", attentions),
             "decoder wiring": ("--wirings", wirings)}  # fmt: skip
    named = [
        Factor(name, SHORT_NAMES[name], split_values(text, option))
        for name, (option, text) in short.items()
        if text
    ]
    return named + [parse_factor(text) for text in vary]


def _settings(
    run_file: Path | None, output: Path, *, time_matched: bool
) -> tuple[dict[str, Any], Path | None]:
    """Return the run file's values, or those of the built-in corpus, and where their paths start."""
    if run_file is not None:
        from nmt_lstm.config.load import read_toml

        return read_toml(run_file), run_file.absolute().parent
    from nmt_lstm.config.defaults import quickstart_settings
    from nmt_lstm.corpora.builtin import builtin_corpus_folder

    values = quickstart_settings(str(builtin_corpus_folder()), str(output.absolute() / "prepared"), "lstm")
    values["training"] |= _BUILTIN_TRAINING
    if time_matched:
        # Slow machines alone come to the other limit; to this one, all do.
        values["training"]["time_limit"] = _BUILTIN_TIME
    return values, None


def _show(found: ComparisonResult) -> None:
    """Write the answer to stdout, and where the rest is to stderr."""
    from nmt_lstm.lab.comparison.tables import cost_table, quality_table

    note()
    for table in (quality_table(found.findings), cost_table(found.findings)):
        rows = [
            [column.title for column in table.columns],
            *([_content(cell) for cell in row] for row in table.rows),
        ]
        right = [place for place, column in enumerate(table.columns) if column.numeric]
        say(columns(rows, right=right) + "\n")
    say(found.verdict.headline)
    note("\nBefore you rely on it:")
    for caution in found.verdict.cautions.values():
        note(f"- {caution}")
    for name, reason in found.failures.items():
        note(f"failed: {name}: {reason}")
    note(f"\nThe report: {found.html} (and {found.markdown}).")


def _content(cell: TableCell | str) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell.content} ({cell.note})" if cell.note else cell.content
