"""``nmt-lstm quickstart``: the whole road on the built-in corpus, in under three minutes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.arguments import Cell, Plugins, TimeLimit, check_time_limit, load_plugins
from nmt_lstm.cli.evaluate import score_table
from nmt_lstm.cli.messages import is_first_process, note, quoted
from nmt_lstm.cli.train import check_parts
from nmt_lstm.errors import ConfigurationError

__all__ = ["quickstart"]

EXAMPLE = """\b
Examples:
  nmt-lstm quickstart
  nmt-lstm quickstart -o runs/quickstart-gru --cell gru"""

SAMPLES = 5

# What two idle cores reach easily, and the steps that they take.
EXPECTED_BLEU = 60.0
EXPECTED_STEPS = "1,300 to 2,800"


def quickstart(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Model folder to write.")
    ] = Path("runs/quickstart"),
    cell: Cell = "lstm",
    time_limit: TimeLimit = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with one that was interrupted.")] = False,
    plugin: Plugins = None,
) -> None:
    """Train on the built-in English-Japanese corpus, translate its test text and score it (under 3 minutes)."""
    begin = time.perf_counter()
    load_plugins(plugin)
    check_time_limit(time_limit)
    model = quoted(output)
    if not resume and output.exists() and any(output.iterdir()):
        raise ConfigurationError(
            f"the folder '{output}' exists already. Use the translator in it: nmt-lstm translate -m {model}; "
            f"go on, if it was interrupted: nmt-lstm quickstart -o {model} --resume; "
            f"or start anew in another folder: nmt-lstm quickstart -o {model}-2"
        )
    from nmt_lstm.config.defaults import quickstart_settings
    from nmt_lstm.config.load import make_run
    from nmt_lstm.corpora.builtin import builtin_corpus_folder

    corpus = builtin_corpus_folder()
    values = quickstart_settings(str(corpus), str(output.parent / "prepared"), cell)
    limit = [f"training.time_limit={time_limit}"] if time_limit else []
    run = make_run(values, limit, origin="quickstart")
    check_parts(run)
    note(f"1. Training an English-Japanese translator with the cell '{cell}' on the text in {corpus}.")

    from rich.console import Console

    from nmt_lstm.training.fit import fit

    trained = fit(run, output, resume=resume, console=Console(stderr=True))
    if not is_first_process():
        return

    from nmt_lstm.checkpoint.plugin_records import has_copies
    from nmt_lstm.evaluation.scores import corpus_scores
    from nmt_lstm.text.corpus import read_lines
    from nmt_lstm.translator import Translator

    sources, references = list(read_lines(corpus / "test.en")), list(read_lines(corpus / "test.ja"))
    note(f"\n2. Translating {len(sources)} test sentences that were not in the training text.\n")
    texts = [translation.text for translation in Translator.load(output).translate(sources)]
    step = max(1, len(sources) // SAMPLES)
    for index in range(0, step * SAMPLES, step)[:SAMPLES]:
        note(f"   source       {sources[index]}")
        note(f"   translation  {texts[index]}")
        note(f"   reference    {references[index]}\n")
    note(
        "3. Scores of all test sentences, by sacreBLEU (BLEU on characters: Japanese has no blanks between words).\n"
    )
    scores = corpus_scores(texts, references, metrics=("bleu", "chrf"), tokenize=run.data.tokenize)
    typer.echo(score_table(scores))
    if trained.out_of_time and scores[0].value < EXPECTED_BLEU:
        note(
            f"\nThat is little: in its time this machine took {trained.steps:,} steps, where two idle cores take "
            f"{EXPECTED_STEPS}. Go on for longer: nmt-lstm quickstart -o {model} --resume --time-limit 10m\n"
            f"While another program keeps a core busy, one thread is faster than two: put OMP_NUM_THREADS=1 before it."
        )
    note(f"\nDone in {time.perf_counter() - begin:.0f} seconds. The model is in {output}. Next:\n")
    trusted = " --trust-plugins" if has_copies(output) else ""
    note(f'  echo "{sources[0]}" | nmt-lstm translate -m {model}{trusted}')
    note(f"  nmt-lstm translate -m {model}{trusted} --n-best 3 --scores --interactive")
    note("  nmt-lstm quickstart --cell gru -o runs/quickstart-gru")
    note("  nmt-lstm train --help        # your own text")
