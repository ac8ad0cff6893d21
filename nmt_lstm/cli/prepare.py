"""``nmt-lstm prepare``: clean the training text of a run file and split it into pieces."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Overrides
from nmt_lstm.cli.chosen_settings import run_without_file
from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.cli.text_options import (
    Columns,
    OptionalRunFile,
    Sources,
    TabSeparated,
    Targets,
    ValidSources,
    ValidTargets,
    default_output,
    text_files,
    text_overrides,
)
from nmt_lstm.config.tasks import TASKS
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import count_of

if TYPE_CHECKING:
    from nmt_lstm.text.prepared import Prepared

__all__ = ["prepare"]

EPILOG = """\b
Examples:
  nmt-lstm prepare data/multi30k/de-en.toml
  nmt-lstm prepare -s news.de talks.de -t news.en talks.en"""


def prepare(
    run_file: OptionalRunFile = None,
    source: Sources = None,
    target: Targets = None,
    valid_source: ValidSources = None,
    valid_target: ValidTargets = None,
    tsv: TabSeparated = None,
    columns: Columns = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Model folder of the later 'train -o'; 'prepared' is beside it. [default: runs/NAME]",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="Processes that split a long text. [default: one for each core]",
        ),
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Clean the training text and split it into pieces.

    'train' does this itself. Use 'prepare' to see what cleaning removes, or before training on many machines.
    The result is cached until the text or the settings change. If it is interrupted, the same command continues.
    Options with FILE... take several files.
    """
    from nmt_lstm.config.load import load_run
    from nmt_lstm.corpora.builtin import with_builtin_pieces
    from nmt_lstm.text.held_out import with_validation_text
    from nmt_lstm.text.preparation import check_vocabulary
    from nmt_lstm.text.preparation import prepare as prepare_text

    texts = text_files(source, target, valid_source, valid_target, tsv=tsv, columns=columns)
    # The cache depends on the content of the held-out text, not on its path: each run has its own copy.
    with tempfile.TemporaryDirectory() as folder:
        if run_file is None:
            named = output or default_output(None, texts["train_source"], texts["train_target"])
            run, _, held_out = run_without_file(
                texts, overrides or [], Path(folder), resume=False, prepared=named.parent / "prepared"
            )
        else:
            run = load_run(run_file, [*text_overrides(texts), *(overrides or [])])
            if not TASKS[run.task].is_text:
                raise ConfigurationError(
                    f"only text is prepared; {TASKS[run.task].model} is trained directly, with nmt-lstm train.",
                    key="task",
                    value=run.task,
                )
            if run.data.stream:
                raise ConfigurationError(
                    "a stream is not prepared: its pairs are read while they are trained on."
                )
            early_checks.check_task(run)
            check_vocabulary(run.data, with_builtin_pieces(run).subwords)
            run, held_out = with_validation_text(run, Path(folder), reuse=False)
        if held_out is not None:
            note(held_out.describe(with_folder=False))
            held_out.write()
        note(description(prepare_text(with_builtin_pieces(run), note, jobs=jobs)))
    if run_file is not None:
        note(f"\nTo train on it:\n  nmt-lstm train {quoted(run_file)}")
    else:
        note("\nTo train on it, use the same options with nmt-lstm train.")


def description(prepared: Prepared) -> str:
    """Return lines that say what was read, removed and written."""
    subwords, store = prepared.subwords, prepared.train
    from nmt_lstm.config.piece_kinds import PIECE_KINDS

    plural = PIECE_KINDS[prepared.kind].plural
    if subwords.joint:
        vocabulary = f"{subwords.source.size:,} {plural} shared by both languages"
    else:
        vocabulary = f"{subwords.source.size:,} source and {subwords.target.size:,} target {plural}"
    lines = [
        prepared.report.describe(),
        *prepared.describe_corpora(),
        count_of(len(prepared.valid_source), "validation pair"),
        vocabulary,
        f"{store.source.lengths.sum():,} source and {store.target.lengths.sum():,} target pieces of training text",
        f"Cached in {prepared.folder}: neither text nor settings have changed"
        if prepared.reused
        else f"Written to {prepared.folder}",
    ]
    return "\n".join(lines)
