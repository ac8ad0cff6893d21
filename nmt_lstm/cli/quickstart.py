"""``nmt-lstm quickstart``: train, translate and score on the built-in corpus, in under three minutes."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import AcceptChangedPlugins, Cell, Plugins, check_time_limit, load_plugins
from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.cli.score_report import score_table
from nmt_lstm.cli.train import check_start
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.launch import is_started_by_run

if TYPE_CHECKING:
    from nmt_lstm.training.fit_result import FitResult

__all__ = ["quickstart"]

EXAMPLE = """\b
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
    cell: Cell = DEFAULT_CELL,
    time_limit: Annotated[
        str,
        typer.Option("--time-limit", metavar="TIME", help="Stop training after this time. [default: 130s]"),
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue one that was interrupted, or stopped by its limit.")
    ] = False,
    plugin: Plugins = None,
    accept_changed_plugins: AcceptChangedPlugins = False,
) -> None:
    """Train on the built-in English-Japanese corpus, translate its test text and score it (under 3 minutes)."""
    begin = time.perf_counter()
    check_time_limit(time_limit)
    model = quoted(output)
    # What has to be typed again to continue this run.
    same = "".join(f" --plugin {quoted(file)}" for file in plugin or [])
    same += "" if cell == DEFAULT_CELL else f" --cell {shlex.quote(cell)}"
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"-o '{output}' is a file; name a folder.")
    # Another process of this run finds what the first one has made.
    if not resume and not is_started_by_run() and output.exists() and any(output.iterdir()):
        raise ConfigurationError(
            f"the folder '{output}' already exists. To use the model in it:\n"
            f"  nmt-lstm translate -m {model}\n"
            f"To continue an interrupted quickstart:\n"
            f"  nmt-lstm quickstart{same} -o {model} --resume\n"
            f"To start again in a different folder:\n"
            f"  nmt-lstm quickstart{same} -o {model}-2"
        )
    from nmt_lstm.config.defaults import quickstart_settings
    from nmt_lstm.config.load import make_run
    from nmt_lstm.corpora.builtin import builtin_corpus_folder
    from nmt_lstm.text.corpus import read_lines

    corpus = builtin_corpus_folder()
    values = quickstart_settings(str(corpus), str(output.parent / "prepared"), cell)
    limit = [f"training.time_limit={time_limit}"] if time_limit else []
    run = make_run(values, limit, origin="quickstart")
    if not plugin:
        early_checks.check_names(run)
    load_plugins(plugin)
    from nmt_lstm.model.build import check_parts

    check_parts(run.model)
    launch = check_start(run, output, resume=resume)

    from rich.console import Console

    from nmt_lstm.training.fit import fit

    def train_it() -> FitResult:
        return fit(
            run,
            output,
            resume=resume,
            console=Console(stderr=True),
            accept_changed_plugins=accept_changed_plugins,
        )

    if not launch.is_first:
        train_it()
        return
    sources, references = list(read_lines(corpus / "test.en")), list(read_lines(corpus / "test.ja"))

    from nmt_lstm.inference.translator import Translator

    shown = spread(len(sources))
    some, expected = [sources[index] for index in shown], [references[index] for index in shown]
    if not resume:
        note(f"1. The built-in model, {BUILTIN}, translates some test sentences:\n")
        ready = Translator.load(BUILTIN, device="cpu").translate(some)
        show_samples(zip(some, [translation.text for translation in ready], expected, strict=True))
    note(f"2. Training a smaller model with the cell '{cell}' on the built-in corpus.\n")

    trained = train_it()

    from nmt_lstm.checkpoint.model_folder import trust_option
    from nmt_lstm.evaluation.scores import corpus_scores

    note(f"\n3. Translating {len(sources)} test sentences that were not in the training text.\n")
    texts = [translation.text for translation in Translator.load(output).translate(sources)]
    show_samples(zip(some, [texts[index] for index in shown], expected, strict=True))
    note("4. Scores of all test sentences, by sacreBLEU. BLEU counts characters.\n")
    scores = corpus_scores(texts, references, metrics=("bleu", "chrf"), tokenize=run.data.tokenize)
    typer.echo(score_table(scores))
    less = less_than_planned(trained)
    if less:
        note(
            f"\nExpect lower scores than README's: this machine had time for only {less} within {run.training.time_limit}. "
            f"With more time:\n  nmt-lstm quickstart{same} -o {model}-2 --time-limit 10m"
        )
    note(f"\nDone in {time.perf_counter() - begin:.0f} seconds. The model is in {output}. Next:\n")
    trusted = trust_option(output)
    note(f'  echo "{sources[0]}" | nmt-lstm translate -m {model}{trusted}')
    note(f"  nmt-lstm translate -m {model}{trusted} --n-best 3 --scores --interactive")
    other = "gru" if cell == DEFAULT_CELL else DEFAULT_CELL
    note(f"  nmt-lstm quickstart --cell {other} -o runs/quickstart-{other}")
    note("  nmt-lstm train --help        # your own text")


def less_than_planned(trained: FitResult) -> str:
    """Return in words what fitted into the time where that is clearly less than the whole training; else nothing."""
    # A last epoch that is cut short costs little: the learning rate has fallen with the time.
    cut = trained.out_of_time and trained.epochs < trained.planned_epochs
    epochs = f"{trained.epochs} of {trained.planned_epochs} epochs" if cut else ""
    return " of ".join(filter(None, (epochs, "a narrower network" if trained.narrowed else "")))


def spread(count: int) -> list[int]:
    """Return the indices of some samples out of `count` lines."""
    step = max(1, count // SAMPLES)
    return list(range(0, count, step))[:SAMPLES]


def show_samples(samples: Iterable[tuple[str, str, str]]) -> None:
    """Show sources, translations and references."""
    for source, text, reference in samples:
        note(f"   source       {source}")
        note(f"   translation  {text or '(empty)'}")
        note(f"   reference    {reference}\n")
