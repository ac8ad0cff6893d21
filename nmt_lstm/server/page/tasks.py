"""What workers do for the page: sentences with their details, next words, and a look into the network."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from nmt_lstm.errors import DataError, ModelFolderError
from nmt_lstm.inference.requests import TranslationRequest
from nmt_lstm.inference.text_options import TextOptions
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.inspection.inspection import Inspector
from nmt_lstm.lab.inspection.network_view import network_view
from nmt_lstm.server.page.sentence_details import sentence_details
from nmt_lstm.server.units import Kind, Translated, Unit
from nmt_lstm.text.lines import LineWarnings
from nmt_lstm.text.special_pieces import END_OF_SENTENCE

__all__ = ["details", "inside", "next_words"]

NEXT_WORDS = 8
"""Words that a reader may choose from."""


def details(translator: Translator, kind: Kind, units: Sequence[Unit], _: TextOptions) -> list[Translated]:
    """Translate sentences, and tell how sure each word is and which source words it attended to."""
    translations = translator.stream(
        [_request(unit) for unit in units],
        n_best=kind.n_best,
        batch_size=len(units),
        window=len(units),
        attention=True,
        alignment=False,
        probabilities=True,
        first_line=2,
        warnings=LineWarnings(shown=False),
    )
    return [_result(sentence_details(translation)) for translation in translations]


def next_words(translator: Translator, _: Kind, units: Sequence[Unit], __: TextOptions) -> list[Translated]:
    """Name the likeliest words after the prefix of each sentence."""
    return [
        _result(
            [
                {
                    "text": word.text,
                    "probability": float(f"{word.probability:.4g}"),
                    "prefix": f"{unit.prefix}{word.separator if unit.prefix else ''}{word.text}",
                }
                for word in translator.next_words(_request(unit), NEXT_WORDS + 1)
                if word.text != END_OF_SENTENCE
            ][:NEXT_WORDS]
        )
        for unit in units
    ]


def inside(translator: Translator, _: Kind, units: Sequence[Unit], __: TextOptions) -> list[Translated]:
    """Show what the cells of a network do while it reads a sentence and writes the translation given as the prefix."""
    return [_result(_view(translator, unit)) for unit in units]


def _view(translator: Translator, unit: Unit) -> dict[str, Any]:
    try:
        return network_view(_inspector(translator), unit.text, unit.prefix)
    except ModelFolderError:
        return {"refused": "This model was exported; serve the folder that it was made from to look inside."}
    except DataError as problem:
        return {"refused": str(problem)}


@functools.lru_cache(maxsize=2)
def _inspector(translator: Translator) -> Inspector:
    """Return an inspector, which reads the model again: the translator's own is prepared for speed."""
    return Inspector.of_translator(translator)


def _request(unit: Unit) -> TranslationRequest:
    return TranslationRequest(unit.text, prefix=unit.prefix, tag=unit.tag)


def _result(found: object) -> Translated:
    return Translated((), details=found)
