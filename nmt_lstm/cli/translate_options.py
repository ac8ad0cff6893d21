"""Options of ``translate`` that no other command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.arguments import TranslationFormat
from nmt_lstm.cli.ray_jobs import Engine

__all__ = [
    "Alignments",
    "BeamGroups",
    "Diversity",
    "EngineName",
    "Format",
    "InputFile",
    "Interactive",
    "Jobs",
    "Merge",
    "NBest",
    "PartLines",
    "Probabilities",
    "Resume",
    "Scores",
    "Shard",
    "WordAlignments",
]

InputFile = Annotated[
    Path | None,
    typer.Option("--input", "-i", metavar="FILE", help="Input, one sentence per line. [default: stdin]"),
]
BeamGroups = Annotated[
    int | None,
    typer.Option(
        "--beam-groups",
        min=1,
        metavar="N",
        help="Equal parts of the beam that avoid each other's words, for different translations with --n-best.",
        rich_help_panel="Search",
    ),
]
Diversity = Annotated[
    float | None,
    typer.Option(
        "--diversity",
        min=0.0,
        max=100.0,
        metavar="X",
        help="How much the groups of the beam avoid each other's words. [default: 0.5]",
        rich_help_panel="Search",
    ),
]
NBest = Annotated[
    int,
    typer.Option(
        "--n-best", min=1, metavar="N", help="Translations per input line.", rich_help_panel="Output"
    ),
]
Scores = Annotated[
    bool,
    typer.Option("--scores", help="Write the score before each translation.", rich_help_panel="Output"),
]
Alignments = Annotated[
    bool,
    typer.Option(
        "--alignments", help="Write the alignment after each translation.", rich_help_panel="Output"
    ),
]
WordAlignments = Annotated[
    bool,
    typer.Option(
        "--word-alignments",
        help="Write the alignment between words, after that between pieces.",
        rich_help_panel="Output",
    ),
]
Probabilities = Annotated[
    bool,
    typer.Option(
        "--probabilities",
        help="Add the probability of each piece and word to --format jsonl.",
        rich_help_panel="Output",
    ),
]
Format = Annotated[
    TranslationFormat,
    typer.Option("--format", help="Lines of text, JSON Lines, or a document in HTML."),
]
Interactive = Annotated[
    bool, typer.Option("--interactive", help="Translate each line as soon as it is read.")
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        help="Single-threaded processes, for large files.",
        rich_help_panel="Long texts",
    ),
]
EngineName = Annotated[
    Engine,
    typer.Option(
        "--engine",
        help="What runs the --jobs: processes of this machine, or a Ray cluster.",
        rich_help_panel="Long texts",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Write the output in parts, and continue after an interruption.",
        rich_help_panel="Long texts",
    ),
]
Shard = Annotated[
    str,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Translate only the K-th of N shares, as with --resume.",
        rich_help_panel="Long texts",
    ),
]
Merge = Annotated[
    bool,
    typer.Option(
        "--merge", help="Write the output from the parts of all shards.", rich_help_panel="Long texts"
    ),
]
PartLines = Annotated[
    int | None,
    typer.Option(
        "--part-lines",
        min=1,
        metavar="N",
        help="Input lines of a part, of --resume and --shard. [default: 4096]",
        rich_help_panel="Long texts",
    ),
]
