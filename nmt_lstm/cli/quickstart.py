"""``nmt-lstm quickstart``: train, translate and score on the built-in corpus, in under three minutes."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli.arguments import CELL, AcceptChangedPlugins, Plugins, parse_time_limit
from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.cli.output_folders import check_folder_path
from nmt_lstm.cli.score_report import score_table
from nmt_lstm.cli.train import check_start
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import count_of
from nmt_lstm.training.launch import is_started_by_run

if TYPE_CHECKING:
    from nmt_lstm.training.fit_result import FitResult

__all__ = ["quickstart"]

EPILOG = """\b
Examples:
  nmt-lstm quickstart
  nmt-lstm quickstart -o runs/quickstart-gru --cell gru"""

SAMPLES = 5
DEFAULT_CELL = "lstm"
BUILTIN = "builtin:en-ja"


def quickstart(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Model folder to write.")
    ] = Path("runs/quickstart"),
    cell: Annotated[str, CELL] = DEFAULT_CELL,
    time_limit: Annotated[
        str,
        typer.Option("--time-limit", metavar="TIME", help="Training time, such as 10m. [default: 130s]"),
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    plugin: Plugins = None,
    accept_changed_plugins: AcceptChangedPlugins = False,
) -> None:
    """Train, translate and score on built-in text in 3 minutes.

    The text is English with Japanese translations.
    """
    start = time.perf_counter()
    parse_time_limit(time_limit)
    model = quoted(output)
    # For the commands that are proposed.
    options = "".join(f" --plugin {quoted(file)}" for file in plugin or [])
    options += "" if cell == DEFAULT_CELL else f" --cell {shlex.quote(cell)}"
    check_folder_path(output)
    # In the other processes of a distributed run the folder of the first one exists.
    if not resume and not is_started_by_run() and output.exists() and any(output.iterdir()):
        raise ConfigurationError(
            f"the folder '{output}' already exists. To use its model:\n"
            f"  nmt-lstm translate -m {model}\n"
            f"To continue an interrupted quickstart:\n"
            f"  nmt-lstm quickstart{options} -o {model} --resume\n"
            f"To start in a different folder:\n"
            f"  nmt-lstm quickstart{options} -o {model}-2"
        )
    from nmt_lstm.config.defaults import quickstart_settings
    from nmt_lstm.config.load import make_run
    from nmt_lstm.corpora.builtin import builtin_corpus_folder
    from nmt_lstm.text.text_file import read_lines

    corpus = builtin_corpus_folder()
    values = quickstart_settings(str(corpus), str(output.parent / "prepared"), cell)
    limit = [f"training.time_limit={time_limit}"] if time_limit else []
    run = make_run(values, limit, origin="quickstart")
    launch = check_start(run, output, plugin, resume=resume)

    from nmt_lstm.training.fit import fit

    if not launch.is_first:
        fit(run, output, resume=resume, accept_changed_plugins=accept_changed_plugins)
        return
    sources, references = list(read_lines(corpus / "test.en")), list(read_lines(corpus / "test.ja"))

    from nmt_lstm.inference.translator import Translator

    samples = sample_indices(len(sources))
    sample_sources = [sources[index] for index in samples]
    sample_references = [references[index] for index in samples]
    if not resume:
        note(f"1. The built-in model, {BUILTIN}, translates {len(samples)} test sentences:\n")
        translations = Translator.load(BUILTIN, device="cpu").translate(sample_sources)
        show_samples(
            zip(sample_sources, [each.text for each in translations], sample_references, strict=True)
        )
    note(f"2. Training a smaller model with the cell '{cell}' on the built-in corpus.\n")

    result = fit(run, output, resume=resume, accept_changed_plugins=accept_changed_plugins)

    from nmt_lstm.checkpoint.model_folder import trust_option
    from nmt_lstm.evaluation.scores import corpus_scores

    note(f"\n3. Translating {len(sources)} test sentences that were not in the training text.\n")
    texts = [translation.text for translation in Translator.load(output).translate(sources)]
    show_samples(zip(sample_sources, [texts[index] for index in samples], sample_references, strict=True))
    note("4. sacreBLEU scores of all test sentences; BLEU is computed on characters.\n")
    scores = corpus_scores(texts, references, metrics=("bleu", "chrf"), tokenize=run.data.tokenize)
    typer.echo(score_table(scores))
    shortfall = training_shortfall(result)
    if shortfall:
        note(
            f"\nScores are lower than in README: in {run.training.time_limit} this machine could train only {shortfall}. "
            f"To give it more time:\n  nmt-lstm quickstart{options} -o {model}-2 --time-limit 10m"
        )
    note(f"\nDone in {time.perf_counter() - start:.0f} seconds. The model is in {output}. Next:\n")
    trust = trust_option(output)
    note(f'  echo "{sources[0]}" | nmt-lstm translate -m {model}{trust}')
    note(f"  nmt-lstm translate -m {model}{trust} --n-best 3 --scores --interactive")
    other = "gru" if cell == DEFAULT_CELL else DEFAULT_CELL
    note(f"  nmt-lstm quickstart --cell {other} -o runs/quickstart-{other}")
    note("  nmt-lstm train --help        # your own text")


def training_shortfall(result: FitResult) -> str:
    """Return what was trained if it is clearly less than planned, such as "2 of 4 epochs"; otherwise an empty string."""
    # An incomplete last epoch costs little quality, because the learning rate decreases with the remaining time.
    epochs = ""
    if result.out_of_time and result.epochs < result.planned_epochs:
        epochs = f"{result.epochs} of {count_of(result.planned_epochs, 'epoch')}"
    return " of ".join(filter(None, (epochs, "a narrower network" if result.narrowed else "")))


def sample_indices(count: int) -> list[int]:
    """Return the indices of evenly spaced samples out of `count` lines."""
    step = max(1, count // SAMPLES)
    return list(range(0, count, step))[:SAMPLES]


def show_samples(samples: Iterable[tuple[str, str, str]]) -> None:
    """Show sources, translations and references."""
    for source, text, reference in samples:
        note(f"   source       {source}")
        note(f"   translation  {text or '(empty)'}")
        note(f"   reference    {reference}\n")
