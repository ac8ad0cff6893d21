"""Translation of HTML: the text between tags, with inline tags in the place that the attention says."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence

from nmt_lstm.inference.input_check import InputCheck
from nmt_lstm.inference.line_search import SearchOptions
from nmt_lstm.inference.line_translation import LineTranslation
from nmt_lstm.inference.marked_translation import translated_parts
from nmt_lstm.inference.requests import TranslationRequest, as_request
from nmt_lstm.inference.text_options import TextTreatment
from nmt_lstm.inference.translation import Translation
from nmt_lstm.text.html_blocks import HtmlBlock, html_blocks
from nmt_lstm.text.lines import LineWarnings

__all__ = ["HtmlTranslation", "Requests"]

Requests = Callable[[Sequence[str]], Iterable[str | TranslationRequest]]
"""Makes requests of the texts of blocks, one for each."""


class HtmlTranslation:
    """Translates HTML documents.

    Args:
        lines: translates their text.
    """

    def __init__(self, lines: LineTranslation) -> None:
        self._lines = lines

    def translate(
        self,
        documents: Sequence[str],
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
        check: InputCheck | None,
        requests: Requests | None = None,
    ) -> list[str]:
        """Return documents whose text is translated; everything else is as it was.

        Args:
            documents: HTML, well-formed or not.
            options: of the search.
            treatment: what is kept, and whether sentences are split.
            warnings: where they are reported, with the lines of the document.
            check: of the text as a whole.
            requests: what is asked of the texts of the blocks, in order.
        """
        parsed = [
            list(html_blocks(document, treatment.patterns, unclosed=warnings.unclosed))
            for document in documents
        ]
        blocks = [part for parts in parsed for part in parts if isinstance(part, HtmlBlock)]
        # The same text, such as an entry of a menu, is translated once.
        numbers: dict[str, int] = {}
        for block in blocks:
            numbers.setdefault(block.marked.text, block.line)
        asked = requests(list(numbers)) if requests is not None else list(numbers)
        translations = self._lines.marked(
            [
                (number, as_request(number, line))
                for number, line in zip(numbers.values(), asked, strict=True)
            ],
            options,
            treatment,
            warnings,
            check,
        )
        known = dict(zip(numbers, translations, strict=True))
        return [
            "".join(part if isinstance(part, str) else _written(part, known) for part in parts)
            for parts in parsed
        ]


def _written(block: HtmlBlock, translations: dict[str, Translation]) -> str:
    translation = translations[block.marked.text]
    if not translation.hypotheses:
        return block.raw
    parts: Sequence[str] = [
        part.text if part.is_mark else html.escape(part.text, quote=False)
        for part in translated_parts(block.marked, translation)
    ]
    return f"{block.leading}{''.join(parts)}{block.trailing}"
