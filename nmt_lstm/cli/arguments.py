"""Options that several commands share, so that each has one name and one meaning everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.errors import ConfigurationError

__all__ = [
    "AcceptChangedPlugins",
    "BatchSize",
    "BeamSize",
    "Cell",
    "Device",
    "LineFormat",
    "Models",
    "Overrides",
    "Plugins",
    "Precision",
    "PrecisionName",
    "RunFile",
    "SearchOverrides",
    "TimeLimit",
    "TrustPlugins",
    "check_time_limit",
    "load_plugins",
]


class LineFormat(StrEnum):
    """How results per line are written."""

    text = "text"
    jsonl = "jsonl"


class PrecisionName(StrEnum):
    """Number formats of the arithmetic."""

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
        help="Model folder, or builtin:en-ja; several of one vocabulary form an ensemble.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file, or folder with an __init__.py, that registers cells or attentions; may be repeated.",
    ),
]
AcceptChangedPlugins = Annotated[
    bool,
    typer.Option(
        "--accept-changed-plugins",
        help="Resume although a plugin file was changed; the model folder keeps the earlier one as replaced-N-*.",
    ),
]
TrustPlugins = Annotated[
    bool,
    typer.Option(
        "--trust-plugins",
        help="Run the model folder's own copies of plugin files, and import the classes it names; read them before.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, such as model.dropout=0.3; may be repeated."
    ),
]
SearchOverrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting of the search, such as search.alpha=1.5; may be repeated.",
    ),
]
RunFile = Annotated[Path, typer.Argument(metavar="RUN.toml", help="Run file; 'nmt-lstm config' prints one.")]
BeamSize = Annotated[
    int | None,
    typer.Option(
        "--beam-size",
        "-b",
        min=1,
        metavar="N",
        help="Hypotheses kept per sentence; 1 is greedy. [default: the model's]",
    ),
]
BatchSize = Annotated[
    int,
    typer.Option("--batch-size", min=1, metavar="N", help="Sentences at once; changes speed, not results."),
]
Precision = Annotated[
    PrecisionName,
    typer.Option(
        "--precision", help="Arithmetic; auto is float32, the same at any batch size; int8 is fastest."
    ),
]
Device = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N.")]
Cell = Annotated[
    str,
    typer.Option(
        "--cell", metavar="NAME", help="Cell of encoder and decoder: a name, or package.module:Class."
    ),
]
TimeLimit = Annotated[
    str,
    typer.Option(
        "--time-limit", metavar="TIME", help='Stop training after this time, such as "25m" or "2h".'
    ),
]


def load_plugins(files: Sequence[Path] | None, *, trusted: Sequence[Path] = ()) -> None:
    """Run the plugin files of ``--plugin``, then the copies in model folders that ``--trust-plugins`` trusts."""
    if files:
        from nmt_lstm.registry import load_plugin_file

        for file in files:
            load_plugin_file(str(file))
    if trusted:
        from nmt_lstm.checkpoint import model_folder
        from nmt_lstm.checkpoint.plugin_records import run_copies

        for folder in trusted:
            found = model_folder.read(folder)
            run_copies(found.folder, found.manifest.plugins)


def check_time_limit(text: str) -> None:
    """Refuse a time limit that cannot be read.

    Raises:
        ConfigurationError: it is no duration.
    """
    from nmt_lstm.config.duration import parse_duration

    try:
        parse_duration(text)
    except ValueError as problem:
        raise ConfigurationError(f"--time-limit '{text}' {problem}.") from None
