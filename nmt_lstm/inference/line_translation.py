"""From lines to translations: sentences are split and joined again, and what is kept comes back in its place.

A line with parts to keep is first translated with them: a model that knows such parts copies them. If the translation does
not have each of them exactly as often as the line, the line is translated without them, and they are inserted where the
attention says that their neighbours are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from nmt_lstm.inference.input_check import InputCheck
from nmt_lstm.inference.joined import joined
from nmt_lstm.inference.line_search import LineSearch, SearchOptions
from nmt_lstm.inference.marked_translation import copied, with_marks
from nmt_lstm.inference.requests import LinePreparation, PreparedLine, TranslationRequest
from nmt_lstm.inference.symbols import without_symbols
from nmt_lstm.inference.text_options import TextTreatment
from nmt_lstm.inference.translation import Translation, Unmet
from nmt_lstm.text.lines import LineWarnings

__all__ = ["LineTranslation", "Numbered"]

Numbered = tuple[int, TranslationRequest]
"""A line with its number, from 1."""


class _Searched(NamedTuple):
    translation: Translation
    sentences: Sequence[tuple[PreparedLine, Translation]]


class LineTranslation:
    """Translates lines with what was asked of their text.

    Args:
        preparation: turns lines into pieces.
        search: translates pieces.
    """

    def __init__(self, *, preparation: LinePreparation, search: LineSearch) -> None:
        self._preparation = preparation
        self._search = search

    def translations(
        self,
        lines: Sequence[Numbered],
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
        check: InputCheck | None = None,
    ) -> list[Translation]:
        """Return the translation of each line, and log warnings about them.

        Args:
            lines: with their numbers.
            options: of the search.
            treatment: what is done with their text.
            warnings: where they are reported.
            check: of the text as a whole.
        """
        kept = {index: parts for index, (_, line) in enumerate(lines) if (parts := treatment.kept(line.text))}
        # Lines that are searched in different ways are in different batches, which changes no result.
        plain = [index for index in range(len(lines)) if index not in kept]
        results = dict(
            zip(
                plain,
                self._searched([lines[index] for index in plain], options, treatment, warnings, check),
                strict=True,
            )
        )
        for translate in (self._with_parts, self._without_parts):
            todo = [index for index in kept if index not in results]
            found = translate([lines[index] for index in todo], options, treatment, warnings)
            results |= {
                index: result for index, result in zip(todo, found, strict=True) if result is not None
            }
        return [
            self._reported(line, results[index], options, treatment, warnings)
            for index, line in enumerate(lines)
        ]

    def marked(
        self,
        lines: Sequence[Numbered],
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
        check: InputCheck | None,
    ) -> list[Translation]:
        """Return the translations of lines whose parts to keep were taken out before, with their attention."""
        options = dataclasses.replace(options, attention=True)
        results = self._searched(lines, options, treatment, warnings, check)
        return [
            self._reported(line, result, options, treatment, warnings)
            for line, result in zip(lines, results, strict=True)
        ]

    def _reported(
        self,
        line: Numbered,
        result: _Searched,
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
    ) -> Translation:
        """Return a translation with what it does not meet, after warning about it and about what is unusual."""
        number, request = line
        translation, sentences = result
        if translation.hypotheses:
            unmet = (
                *self._preparation.unmet(request, translation.text),
                *treatment.unmet(request.text, translation.text),
            )
            translation = dataclasses.replace(translation, unmet=unmet)
            if unmet:
                warnings.unmet(number, [_described(each) for each in unmet])
            if warnings.translations and len(translation.hypotheses) < options.n_best:
                warnings.fewer(number, len(translation.hypotheses), options.n_best)
        for sentence, its_translation in sentences:
            self._search.warn_about(sentence, its_translation, options.settings, warnings)
        return translation

    def _with_parts(
        self,
        lines: Sequence[Numbered],
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
    ) -> list[_Searched | None]:
        """Return the translations of lines whose parts the model copies itself; None if it does not."""
        symbol, asked = treatment.symbol, options
        if symbol is not None:
            options = dataclasses.replace(options, attention=True)
        requests = [
            (number, dataclasses.replace(line, text=treatment.with_symbols(line.text)))
            for number, line in lines
        ]
        results: list[_Searched | None] = []
        found = self._searched(requests, options, treatment, warnings)
        for (number, line), (translation, sentences) in zip(lines, found, strict=True):
            if symbol is not None:
                translation = without_symbols(line.text, treatment.kept(line.text), symbol, translation)
            complete = translation.hypotheses and not any(
                treatment.changed(line.text, hypothesis.text) for hypothesis in translation.hypotheses
            )
            if symbol is not None and not complete:
                warnings.unused_symbol(number, symbol.target)
            results.append(_Searched(_without_attention(translation, asked), sentences) if complete else None)
        return results

    def _without_parts(
        self,
        lines: Sequence[Numbered],
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
    ) -> list[_Searched]:
        """Return the translations of lines whose parts are left out and inserted again."""
        marked = [treatment.marked(line.text) for _, line in lines]
        requests = [
            (number, dataclasses.replace(line, text=text.text if text.is_translatable else ""))
            for (number, line), text in zip(lines, marked, strict=True)
        ]
        # What these lines hold was reported when they were read with their parts.
        found = self._searched(
            requests,
            dataclasses.replace(options, attention=True),
            treatment,
            warnings.silenced(),
        )
        results = []
        for (_, line), text, (translation, sentences) in zip(lines, marked, found, strict=True):
            if translation.hypotheses:
                translation = with_marks(line.text, text, translation)
            else:
                translation = copied(
                    line.text, attention=options.attention, probabilities=options.probabilities
                )
            results.append(_Searched(_without_attention(translation, options), sentences))
        return results

    def _searched(
        self,
        lines: Sequence[Numbered],
        options: SearchOptions,
        treatment: TextTreatment,
        warnings: LineWarnings,
        check: InputCheck | None = None,
    ) -> list[_Searched]:
        """Return the translation of each line, and those of its sentences; nothing is kept."""
        sentences = [_sentences(line, treatment) for _, line in lines]
        prepared = self._preparation.prepare(
            [
                (number, sentence)
                for (number, _), own in zip(lines, sentences, strict=True)
                for sentence in own
            ],
            options.settings.max_source_pieces,
            warnings,
        )
        if check is not None:
            check.add([line.text for line in prepared], [line.pieces for line in prepared])
        pairs = iter(zip(prepared, self._search.translations(prepared, options), strict=True))
        results = []
        for (_, line), own in zip(lines, sentences, strict=True):
            mine = [next(pairs) for _ in own]
            translation = (
                mine[0][1]
                if len(mine) == 1
                else joined(line.text, [translation for _, translation in mine], treatment.separator)
            )
            results.append(_Searched(translation, mine))
        return results


def _sentences(line: TranslationRequest, treatment: TextTreatment) -> list[TranslationRequest]:
    """Return the sentences of a line as lines; a line with required phrases is one, because they may be in any."""
    texts = treatment.sentences(line.text) if not line.require else []
    if len(texts) < 2:
        return [line]
    first, *others = texts
    return [
        dataclasses.replace(line, text=first),
        *(dataclasses.replace(line, text=text, prefix="") for text in others),
    ]


def _without_attention(translation: Translation, options: SearchOptions) -> Translation:
    """Return the translation with the attention and the alignment only if they were asked for."""
    if options.attention and options.alignment:
        return translation
    return dataclasses.replace(
        translation,
        hypotheses=tuple(
            dataclasses.replace(
                hypothesis,
                attention=hypothesis.attention if options.attention else None,
                alignment=hypothesis.alignment if options.alignment else (),
            )
            for hypothesis in translation.hypotheses
        ),
    )


def _described(unmet: Unmet) -> str:
    reason = " (the model has no such tag)" if unmet.kind == "tag" else ""
    return f"{unmet.kind} '{unmet.phrase}'{reason}"
