"""Options of ``translate`` for the text of lines: what is kept as it is, and splitting into sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.kept_patterns import KEPT, KeptPatterns
from nmt_lstm.text.sentences import SentenceSplitter

if TYPE_CHECKING:
    from nmt_lstm.inference.text_options import TextOptions

__all__ = ["Keep", "KeepAs", "KeepPatterns", "SourceLanguage", "SplitSentences", "text_options"]

Keep = Annotated[
    str,
    typer.Option(
        "--keep",
        metavar="NAMES",
        help=f"Keep parts of the text as they are: {', '.join(KEPT)} (with commas between).",
        rich_help_panel="Text to keep, and sentences",
    ),
]
KeepPatterns = Annotated[
    list[str] | None,
    typer.Option(
        "--keep-pattern",
        metavar="REGEX",
        help="Keep what this regular expression matches. Repeatable.",
        rich_help_panel="Text to keep, and sentences",
    ),
]
KeepAs = Annotated[
    str,
    typer.Option(
        "--keep-as",
        metavar="SYMBOL",
        help="What the model reads in place of what is kept: a symbol that it was trained with, or a word and "
        "its translation, such as Emi=エミ.",
        rich_help_panel="Text to keep, and sentences",
    ),
]
SplitSentences = Annotated[
    bool,
    typer.Option(
        "--split-sentences",
        help="Translate the sentences of a line separately, and join them.",
        rich_help_panel="Text to keep, and sentences",
    ),
]
SourceLanguage = Annotated[
    str,
    typer.Option(
        "--source-language",
        metavar="CODE",
        help="Language whose sentences are split. [default: that of the model]",
        rich_help_panel="Text to keep, and sentences",
    ),
]


def text_options(
    *, keep: str, patterns: Sequence[str] | None, keep_as: str, split_sentences: bool, source_language: str
) -> TextOptions:
    """Return the options, after checking them.

    Raises:
        ConfigurationError: a name or a pattern is wrong.
        ResourceError: sentences are to be split, and the package for it is not installed.
    """
    names = [name.strip() for name in keep.split(",") if name.strip()]
    # Before anything heavy is imported.
    KeptPatterns(names, patterns or ())
    if split_sentences:
        SentenceSplitter(source_language)
    elif source_language:
        raise ConfigurationError(
            "--source-language says whose sentences are split; add --split-sentences.",
            key="source_language",
            value=source_language,
        )
    from nmt_lstm.inference.text_options import TextOptions

    return TextOptions(
        keep=tuple(names),
        keep_patterns=tuple(patterns or ()),
        keep_as=keep_as,
        split_sentences=split_sentences,
        source_language=source_language,
    )
