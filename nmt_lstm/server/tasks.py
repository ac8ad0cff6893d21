"""What a worker does with a batch of units: translate lines, or blocks of HTML, or what the page asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from nmt_lstm.inference.requests import TranslationRequest
from nmt_lstm.inference.text_options import TextOptions
from nmt_lstm.inference.translator import Translator
from nmt_lstm.server.page.tasks import details, inside, next_words
from nmt_lstm.server.units import Kind, Translated, Unit
from nmt_lstm.text.lines import LineWarnings

__all__ = ["TASKS", "Task"]

KEPT = ("placeholders", "urls", "emails", "tags")
"""What stays as it is in the texts of files."""
Task = Callable[[Translator, Kind, Sequence[Unit], TextOptions], list[Translated]]
"""Takes the translator of a model and a batch of units, and returns what each of them has become, in order."""


def translate_lines(
    translator: Translator, kind: Kind, units: Sequence[Unit], text: TextOptions
) -> list[Translated]:
    """Translate lines.

    The beam is as wide as it always is: the best translation does not depend on the number of alternatives.
    """
    translations = translator.stream(
        [TranslationRequest(unit.text, prefix=unit.prefix, tag=unit.tag) for unit in units],
        # Another model may have been written to the folder, with a smaller beam.
        n_best=min(kind.n_best, translator.run.search.beam_size),
        batch_size=len(units),
        window=len(units),
        alignment=False,
        text=text,
        # Not a first line: what looks like the target language is the business of the client.
        first_line=2,
        warnings=LineWarnings(shown=False),
    )
    return [
        Translated(
            tuple(hypothesis.text for hypothesis in translation.hypotheses),
            tuple(hypothesis.score for hypothesis in translation.hypotheses),
        )
        for translation in translations
    ]


def translate_kept(
    translator: Translator, kind: Kind, units: Sequence[Unit], text: TextOptions
) -> list[Translated]:
    """Translate lines in which placeholders, addresses and tags stay as they are."""
    return translate_lines(translator, kind, units, dataclasses.replace(text, keep=KEPT))


def translate_html(
    translator: Translator, _: Kind, units: Sequence[Unit], text: TextOptions
) -> list[Translated]:
    """Translate the text of HTML; tags stay in place."""
    documents = translator.translate_documents([unit.text for unit in units], text, tag=units[0].tag)
    return [Translated((document,)) for document in documents]


TASKS: dict[str, Task] = {
    "text": translate_lines,
    "kept": translate_kept,
    "html": translate_html,
    "details": details,
    "words": next_words,
    "inside": inside,
}
