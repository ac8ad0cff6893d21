"""``nmt-lstm compare``: which cell, attention, wiring or setting translates better, and how certain is that?"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Overrides, Plugins, load_plugins, parse_time_limit
from nmt_lstm.cli.messages import note, say
from nmt_lstm.cli.output_folders import check_folder_path
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.errors import ConfigurationError

if TYPE_CHECKING:
    from nmt_lstm.lab.comparison.compare import ComparisonResult
    from nmt_lstm.lab.comparison.factors import Factor

__all__ = ["compare"]

EPILOG = """\b
Examples:
  nmt-lstm compare --cells rnn,gru,lstm -o report
  nmt-lstm compare run.toml --cells gru,lstm --seeds 1,2,3 \\
      --test-source test.de --test-target test.en -o report
  nmt-lstm compare run.toml --vary model.decoder.wiring=gnmt,input_feeding \\
      --match time --time-limit 20m -o report
  nmt-lstm compare run.toml --plugin mgu.py --cells gru,mgu -o report"""

# For the built-in corpus: six runs, two at a time, take less than ten minutes on two cores. Averaged weights seldom
# win after so few updates, and validating them would cost time.
_BUILTIN_TRAINING = {
    "epochs": 4,
    "max_steps": 1_500,
    "validate_every": 250,
    "time_limit": "160s",
    "average": "none",
    # The network must not depend on the machine. The learning rate is between the best one for LSTM and GRU (0.01) and
    # the largest for a plain RNN; after 900 updates an LSTM has BLEU 23 at 0.002 and 51 at 0.006.
    "fit_time_limit": False,
    "optimizer": {"learning_rate": 0.006},
}
_BUILTIN_TIME = "100s"


def compare(
    run_file: Annotated[
        Path | None,
        typer.Argument(metavar="RUN.toml", help="Run file. [default: the built-in corpus]"),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the report and the runs.")
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
            help="Values of any setting, such as model.dropout=0.1,0.3; repeat to compare all combinations.",
        ),
    ] = None,
    seeds: Annotated[
        str,
        typer.Option("--seeds", metavar="NUMBERS", help="Seeds; each variant is trained with each of them."),
    ] = "1,2",
    match: Annotated[
        str,
        typer.Option(
            "--match",
            metavar="WHAT",
            help="What all variants have in common: parameters (and updates; hidden sizes are adapted), updates or time.",
        ),
    ] = "parameters",
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            help='Training time per run, such as "20m"; required with --match time.',
        ),
    ] = None,
    test_source: Annotated[
        Path | None,
        typer.Option("--test-source", metavar="FILE", help="Test text to translate and score."),
    ] = None,
    test_target: Annotated[
        Path | None,
        typer.Option("--test-target", metavar="FILE", help="Reference translations of the test text."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", min=0, metavar="N", help="Parallel runs; 0 is one per GPU or, without GPUs, per core."
        ),
    ] = 0,
    overrides: Overrides = None,
    plugin: Plugins = None,
) -> None:
    """Train variants with several seeds and compare their quality.

    The report recommends a variant only if its lead is significant over both test sentences and seeds. Each run is a
    separate process. Repeat an interrupted command to continue it.
    """
    parse_time_limit(time_limit)
    if (test_source is None) != (test_target is None):
        raise ConfigurationError("name both --test-source and --test-target, or neither.")
    from nmt_lstm.config.load import make_run
    from nmt_lstm.lab.comparison.factors import parse_seeds, variants_of
    from nmt_lstm.lab.comparison.matching import parse_match

    matching = parse_match(match)
    seed_numbers = parse_seeds(seeds)
    factors = _factors(cells, attentions, wirings, vary or [])
    values, folder = _settings(run_file, output, match_time=matching.budget == "time")
    origin = str(run_file or "built-in corpus")
    if run_file is None and test_source is None:
        corpus = Path(values["data"]["train_source"]).parent
        test_source, test_target = corpus / "test.en", corpus / "test.ja"
    settings = [*([f"training.time_limit={time_limit}"] if time_limit else []), *(overrides or [])]
    check_folder_path(output)
    early_checks.check_files(test_source, test_target, reread=True)
    matching.check_factors(factors)
    runs = []
    for changes in ((), *(variant.overrides for variant in variants_of(factors))):
        run = make_run(values, [*settings, *changes], folder=folder, origin=origin)
        early_checks.check_task(run, "translation")
        early_checks.check_files(*run.data.training_files(), *run.data.validation_files(), reread=True)
        if not plugin:
            early_checks.check_names(run)
        runs.append(run)
    load_plugins(plugin)
    from nmt_lstm.training.run_checks import check_named_parts

    for run in runs:
        check_named_parts(run.training)
    from nmt_lstm.lab.comparison.compare import Request
    from nmt_lstm.lab.comparison.compare import compare as run_comparison

    result = run_comparison(
        Request(
            values=values,
            factors=factors,
            seeds=seed_numbers,
            match=matching,
            overrides=settings,
            folder=folder,
            origin=origin,
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
    _show(result)
    if result.failures:
        raise typer.Exit(1)


def _factors(cells: str, attentions: str, wirings: str, vary: list[str]) -> list[Factor]:
    from nmt_lstm.lab.comparison.factors import SHORT_NAMES, Factor, parse_factor, split_values

    options = (
        ("cell", "--cells", cells),
        ("attention", "--attentions", attentions),
        ("decoder wiring", "--wirings", wirings),
    )
    factors = [
        Factor(name, SHORT_NAMES[name], split_values(text, option)) for name, option, text in options if text
    ]
    return factors + [parse_factor(text) for text in vary]


def _settings(run_file: Path | None, output: Path, *, match_time: bool) -> tuple[dict[str, Any], Path | None]:
    """Return the values of the run file, or those for the built-in corpus, and the folder of their relative paths."""
    if run_file is not None:
        from nmt_lstm.config.load import read_toml

        return read_toml(run_file), run_file.absolute().parent
    from nmt_lstm.config.defaults import quickstart_settings
    from nmt_lstm.corpora.builtin import builtin_corpus_folder

    values = quickstart_settings(str(builtin_corpus_folder()), str(output.absolute() / "prepared"), "lstm")
    values["training"] |= _BUILTIN_TRAINING
    if match_time:
        # Every machine reaches this limit; only slow ones reach the usual one.
        values["training"]["time_limit"] = _BUILTIN_TIME
    return values, None


def _show(result: ComparisonResult) -> None:
    """Write tables and verdict to stdout; cautions, failures and the report's path to stderr."""
    from nmt_lstm.lab.comparison.tables import cost_table, quality_table

    note()
    for table in (quality_table(result.findings), cost_table(result.findings)):
        say(f"{table.text()}\n")
    say(result.verdict.headline)
    note("\nLimits of this comparison:")
    for caution in result.verdict.cautions.values():
        note(f"- {caution}")
    for name, reason in result.failures.items():
        note(f"failed: {name}: {reason}")
    note(f"\nReport: {result.html} and {result.markdown}.")
