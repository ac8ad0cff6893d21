"""Options that several commands share, so that each has the same name and meaning everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.errors import ConfigurationError

__all__ = [
    "CELL",
    "AcceptChangedPlugins",
    "BatchSize",
    "BeamSize",
    "Device",
    "LanguageModel",
    "LanguageModelWeight",
    "LineFormat",
    "Models",
    "OutputPath",
    "Overrides",
    "Plugins",
    "Precision",
    "PrecisionName",
    "RunFile",
    "SearchOverrides",
    "Tag",
    "TranslationFormat",
    "TrustPlugins",
    "load_plugins",
    "parse_lengths",
    "parse_pairs",
    "parse_time_limit",
]


class LineFormat(StrEnum):
    """How results per line are written."""

    text = "text"
    jsonl = "jsonl"


class TranslationFormat(StrEnum):
    """How translations are written, and for HTML also read."""

    text = "text"
    jsonl = "jsonl"
    html = "html"


class PrecisionName(StrEnum):
    """Number formats of inference."""

    auto = "auto"
    float32 = "float32"
    bf16 = "bf16"
    fp16 = "fp16"
    int8 = "int8"


Models = Annotated[
    list[Path],
    typer.Option(
        "--model",
        "-m",
        metavar="FOLDER",
        help="Model folder, or builtin:en-ja; repeat for an ensemble of models with the same vocabulary.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file, or folder with __init__.py, that registers cells, attentions or encoders; repeatable.",
    ),
]
AcceptChangedPlugins = Annotated[
    bool,
    typer.Option(
        "--accept-changed-plugins",
        help="Resume although a plugin file has changed; the model folder keeps the old one as replaced-N-*.",
    ),
]
TrustPlugins = Annotated[
    bool,
    typer.Option(
        "--trust-plugins",
        help="Run plugin files stored in the model folder, and import classes it names. Review them first.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, such as model.dropout=0.3; repeatable."
    ),
]
SearchOverrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a setting of the search, such as search.alpha=1.5; repeatable.",
    ),
]
RunFile = Annotated[Path, typer.Argument(metavar="RUN.toml", help="Run file; 'nmt-lstm config' prints one.")]
Tag = Annotated[
    str,
    typer.Option(
        "--tag",
        metavar="TAG",
        help='Piece in front of every source line, as in training, such as a target language "<2de>".',
        rich_help_panel="Requests",
    ),
]
OutputPath = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Output file. [default: stdout]")
]
BeamSize = Annotated[
    int | None,
    typer.Option(
        "--beam-size",
        "-b",
        min=1,
        metavar="N",
        help="Hypotheses per sentence; 1 is greedy search. [default: the model's]",
        rich_help_panel="Search",
    ),
]
LanguageModel = Annotated[
    Path | None,
    typer.Option(
        "--lm",
        metavar="FOLDER",
        help="Language model that takes part in the search; trained with the pieces of -m.",
        rich_help_panel="Search",
    ),
]
LanguageModelWeight = Annotated[
    float | None,
    typer.Option(
        "--lm-weight",
        min=0.0,
        max=10.0,
        metavar="X",
        help="Weight of --lm beside the model.  [default: 0.2]",
        rich_help_panel="Search",
    ),
]
BatchSize = Annotated[
    int,
    typer.Option("--batch-size", min=1, metavar="N", help="Sentences per batch; affects speed, not results."),
]
Precision = Annotated[
    PrecisionName,
    typer.Option(
        "--precision",
        help="Number format. auto is float32, whose results do not depend on the batch size; int8 is fastest.",
    ),
]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N.")]
CELL = typer.Option(
    "--cell", metavar="NAME", help="Cell of encoder and decoder: a name, or package.module:Class."
)


def load_plugins(files: Sequence[Path] | None, *, trusted: Sequence[Path] = ()) -> None:
    """Run the plugin files of ``--plugin``, then the copies stored in model folders.

    Args:
        files: Python files, or folders with an ``__init__.py``.
        trusted: the model folders for which ``--trust-plugins`` was given.
    """
    if files:
        from nmt_lstm.registry import load_plugin_file

        for file in files:
            load_plugin_file(str(file))
    if trusted:
        from nmt_lstm.checkpoint import model_folder
        from nmt_lstm.checkpoint.plugin_records import run_copies

        for folder in trusted:
            model = model_folder.read(folder)
            run_copies(model.folder, model.manifest.plugins)


def parse_lengths(text: str) -> list[int]:
    """Return the numbers of a ``--lengths`` such as "50,100,200".

    Raises:
        ConfigurationError: one is not a whole number from 1 to 100,000.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if not word.isascii() or not word.isdecimal() or not 1 <= int(word) <= 100_000:
            raise ConfigurationError(
                f"--lengths: '{word}' is not a whole number from 1 to 100,000; write numbers such as 50,100,200.",
                key="--lengths",
                value=word,
            )
    return [int(word) for word in words]


def parse_pairs(texts: Sequence[str] | None, option: str, example: str = "name=value") -> dict[str, str]:
    """Return the names and values of an option that takes ``NAME=VALUE`` several times.

    Raises:
        ConfigurationError: a text has no name or no equals sign.
    """
    pairs = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError(
                f"{option} '{text}' must have the form name=value, such as {example}.", key=option, value=text
            )
        pairs[name.strip()] = value.strip()
    return pairs


def parse_time_limit(text: str | None) -> float | None:
    """Return the seconds of a ``--time-limit``; None if there is no limit.

    Raises:
        ConfigurationError: the text is not a duration.
    """
    from nmt_lstm.config.duration import parse_duration

    try:
        return parse_duration(text or "")
    except ValueError as problem:
        raise ConfigurationError(
            f"--time-limit '{text}' {problem}.", key="--time-limit", value=text
        ) from None
