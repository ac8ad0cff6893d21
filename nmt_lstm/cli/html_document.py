"""``translate --format html``: a document instead of lines."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt_lstm.cli.lines import input_stream, name_of, output_stream
from nmt_lstm.errors import ConfigurationError

if TYPE_CHECKING:
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.inference.html_translation import Requests
    from nmt_lstm.inference.text_options import TextOptions
    from nmt_lstm.inference.translator import Translator

__all__ = ["check_html_options", "translate_document"]

# Of the command's parameters, those that concern a document; the others are about lines.
_FOR_DOCUMENTS = frozenset(
    {
        "model", "input_file", "output_file", "beam_size", "overrides", "batch_size", "line_format", "keep",
        "keep_pattern", "prefix", "terms", "avoid", "tag", "language_model", "language_model_weight", "split_sentences", "source_language", "precision", "device", "plugin", "trust_plugins",
    }
)  # fmt: skip

logger = logging.getLogger(__name__)


def check_html_options(context: Any) -> None:
    """Check that no option on the command line is about lines.

    Args:
        context: typer's, of the command.

    Raises:
        ConfigurationError: there is one.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if parameter.name not in _FOR_DOCUMENTS and source is not None and source.name == "COMMANDLINE":
            raise ConfigurationError(
                f"{parameter.opts[0]} is about lines, and --format html translates a document; remove one of them.",
                key=parameter.name,
            )


def translate_document(
    translator: Translator,
    input_file: Path | None,
    output_file: Path | None,
    *,
    beam_size: int | None,
    batch_size: int,
    search: SearchSettings,
    text: TextOptions,
    requests: Requests,
) -> None:
    """Translate an HTML document from a file or stdin.

    Raises:
        DataError: the document cannot be read, or is compressed, in UTF-16, or binary.
    """
    from nmt_lstm.text.encoding_check import check_readable
    from nmt_lstm.text.lines import LineWarnings

    name = name_of(input_file)
    with input_stream(input_file) as stream:
        data = stream.read()
    if not data:
        logger.warning("'%s' is empty; there is nothing to translate.", name)
    check_readable(data.partition(b"\n")[0], name)
    try:
        document = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        logger.warning(
            "%s: byte %d (0x%02x) is not UTF-8; replaced by U+FFFD, and so are others.",
            name, problem.start + 1, data[problem.start],
        )  # fmt: skip
        document = data.decode("utf-8", errors="replace")
    translated = translator.translate_html(
        document,
        beam_size=beam_size,
        batch_size=batch_size,
        search=search,
        text=text,
        requests=requests,
        warnings=LineWarnings(translations=True),
    )
    with output_stream(output_file, inputs=(input_file,)) as stream:
        stream.write(translated.encode("utf-8", errors="replace"))
