"""Options of ``train`` and ``prepare`` that name text files: several of each side, and tab-separated ones."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.config.tasks import TaskName
from nmt_lstm.errors import ConfigurationError

__all__ = [
    "Columns",
    "OptionalRunFile",
    "Sources",
    "Stream",
    "TabSeparated",
    "Targets",
    "ValidSources",
    "ValidTargets",
    "check_stream",
    "default_output",
    "text_files",
    "text_overrides",
]

FILES = "FILE..."
"""Metavar of an option that takes several files, also after a single name (see `strict_options`)."""

OptionalRunFile = Annotated[
    Path | None, typer.Argument(metavar="RUN.toml", help="Run file; without it, name the text files.")
]


def _texts(*names: str, meaning: str) -> Any:
    """Return an option that names text files."""
    return typer.Option(*names, metavar=FILES, help=meaning, rich_help_panel="Text")


Sources = Annotated[
    list[Path] | None,
    _texts("--source", "-s", meaning="Training text, source side; pairs.tsv:1 is a column."),
]
Targets = Annotated[
    list[Path] | None,
    _texts("--target", "-t", meaning="Training text, target side, in the same order."),
]
ValidSources = Annotated[
    list[Path] | None,
    _texts(
        "--valid-source",
        meaning="Validation text, source side; each file is a set. [default: held out from the training text]",
    ),
]
ValidTargets = Annotated[
    list[Path] | None,
    _texts(
        "--valid-target",
        meaning="Validation text, target side. [default: held out from the training text]",
    ),
]
TabSeparated = Annotated[
    list[Path] | None,
    _texts(
        "--tsv",
        meaning="Training text with both sides, separated by tabs; for classification, label and text.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="S,T",
        help="Columns of both sides in --tsv, from 1. [default: 1,2; for classification 2,1]",
        rich_help_panel="Text",
    ),
]


Stream = Annotated[
    str,
    typer.Option(
        "--stream",
        metavar="FILE",
        help="Train on lines of source, tab and target from a pipe; - is stdin. Needs a run file.",
    ),
]


def check_stream(stream: str, run_file: Path | None) -> None:
    """Check the option before anything is read.

    Raises:
        ConfigurationError: there is no run file, or standard input is closed or a terminal.
    """
    if stream and run_file is None:
        raise ConfigurationError(
            "--stream needs a run file with the vocabulary (subwords.model), validation text and "
            "training.validate_every: a stream does not say how much text there is."
        )
    if stream == "-":
        check_stdin()
        if sys.stdin.isatty():
            raise ConfigurationError(
                "--stream - reads a pipe, but stdin is a terminal; send the pairs to it with |."
            )


def text_files(
    source: Sequence[Path] | None,
    target: Sequence[Path] | None,
    valid_source: Sequence[Path] | None,
    valid_target: Sequence[Path] | None,
    *,
    tsv: Sequence[Path] | None,
    columns: str | None,
    task: TaskName = "translation",
) -> dict[str, tuple[Path, ...]]:
    """Return the files of the options, by the names of their settings.

    In a file for classification the first column has the labels, which are the target side.

    Raises:
        ConfigurationError: --tsv is combined with -s or -t, or the columns are not two different numbers.
    """
    texts = {
        "train_source": tuple(source or ()),
        "train_target": tuple(target or ()),
        "valid_source": tuple(valid_source or ()),
        "valid_target": tuple(valid_target or ()),
    }
    if columns is not None and not tsv:
        raise ConfigurationError("--columns is for --tsv; write -s pairs.tsv:1 -t pairs.tsv:2 otherwise.")
    if not tsv:
        return texts
    if source or target:
        raise ConfigurationError(
            "--tsv has both sides; remove -s and -t, or write all files as -s pairs.tsv:1 -t pairs.tsv:2."
        )
    match = re.fullmatch(
        r"\s*([1-9]\d*)\s*,\s*([1-9]\d*)\s*", columns or ("2,1" if task == "classification" else "1,2")
    )
    if match is None or match[1] == match[2]:
        raise ConfigurationError(
            f"--columns is '{columns}', but must be two different numbers from 1, such as 1,2.",
            key="--columns",
            value=columns,
        )
    for side, column in zip(("train_source", "train_target"), match.groups(), strict=True):
        texts[side] = tuple(path.with_name(f"{path.name}:{int(column)}") for path in tsv)
    return texts


def text_overrides(texts: Mapping[str, Sequence[Path]]) -> list[str]:
    """Return the files as overrides of a run file, as for ``--set``."""
    from nmt_lstm.config.toml_writer import toml_value

    return [
        f"data.{name}={paths[0] if len(paths) == 1 else toml_value(list(paths))}"
        for name, paths in texts.items()
        if paths
    ]


def default_output(run_file: Path | None, source: Sequence[Path], target: Sequence[Path]) -> Path:
    """Return runs/NAME, named after the run file or the languages."""
    if run_file is not None:
        return Path("runs", run_file.stem)
    from nmt_lstm.text.text_file import language_of

    names = [language_of(side[0]) for side in (source, target) if side]
    return Path("runs", "-".join(names) if all(names) and len(names) == 2 else "model")
