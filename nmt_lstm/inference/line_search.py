"""From prepared lines to translations: search, the choice among hypotheses, and their values as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from nmt_lstm.config.schema import RunSettings, SearchSettings
from nmt_lstm.evaluation.minimum_risk import expected_utilities
from nmt_lstm.inference.checked_arguments import check_language_model
from nmt_lstm.inference.generated_text import Continuation, continuations
from nmt_lstm.inference.repetition import repeated_phrase
from nmt_lstm.inference.requests import PreparedLine
from nmt_lstm.inference.translation import Hypothesis, Translation
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.constraints import BatchConstraints
from nmt_lstm.search.forced import forced_log_probabilities
from nmt_lstm.search.hypotheses import Hypothesis as PieceHypothesis
from nmt_lstm.search.limits import longest_translation
from nmt_lstm.search.next_words import next_words
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.search.sentence_batches import LENGTH_STEP, SentenceBatches
from nmt_lstm.search.setting_checks import check_search
from nmt_lstm.text.lines import LineWarnings
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.written_pieces import are_characters, text_of_pieces

__all__ = ["LineSearch", "SearchOptions"]


@dataclass(frozen=True)
class SearchOptions:
    """How lines are searched and what their translations hold; see `Translator.stream`."""

    settings: SearchSettings
    n_best: int
    batch_size: int
    attention: bool
    alignment: bool
    probabilities: bool
    tokenize: str
    """sacreBLEU's tokenizer, where BLEU is the utility."""

    @property
    def candidates(self) -> int:
        """Hypotheses of each line that are compared."""
        if self.settings.method == "sampling":
            return (
                max(self.n_best, self.settings.samples) if self.settings.decision != "score" else self.n_best
            )
        # The same text may be found in other pieces too; those who ask for several want different texts.
        return self.settings.beam_size if self.n_best > 1 or self.settings.decision != "score" else 1


class LineSearch:
    """Searches translations of prepared lines.

    Args:
        model: what to search.
        whole_model: the same, scoring the whole vocabulary.
        language_model: of the target language, with the same target pieces; None if there is none.
        subwords: the vocabularies.
        device: where the models are.
        precision: of autocast.
        length_step: see `SentenceBatches`.
    """

    def __init__(
        self,
        *,
        model: Searchable[Any, Any],
        whole_model: Searchable[Any, Any],
        language_model: Searchable[Any, Any] | None,
        subwords: Subwords,
        device: torch.device,
        precision: Precision,
        length_step: int = LENGTH_STEP,
    ) -> None:
        self._model = model
        self._whole_model = whole_model
        self._language_model = language_model
        self._subwords = subwords
        self._target_texts = PieceTexts(subwords.target.texts, subwords.target.form.markers)
        # A word of letters, or a piece.
        self._shortest_phrase = 3 if are_characters(subwords.target.own_texts) else 1
        self._device = device
        self._precision: Precision = precision
        self._length_step = length_step

    def options(
        self,
        settings: SearchSettings,
        run: RunSettings,
        n_best: int,
        batch_size: int,
        *,
        attention: bool = False,
        alignment: bool = False,
        probabilities: bool = False,
    ) -> SearchOptions:
        """Return the options of a search; `run` is that of the model.

        Raises:
            ConfigurationError: they contradict each other, or need a language model that is missing.
        """
        check_search(settings, n_best)
        check_language_model(settings, run.search, is_loaded=self._language_model is not None)
        tokenize = ""
        if settings.decision == "bleu":
            from nmt_lstm.evaluation.scores import chosen_tokenizer

            tokenize = chosen_tokenizer(run.data.tokenize, run.data.target_language)
        return SearchOptions(
            settings,
            n_best,
            batch_size,
            attention=attention,
            alignment=alignment,
            probabilities=probabilities,
            tokenize=tokenize,
        )

    def translations(self, lines: Sequence[PreparedLine], options: SearchOptions) -> list[Translation]:
        """Return the translation of each line; those with the same number are sentences of one line."""
        # Lines without constraints are searched separately, with the shortlist: constraints of others must not change them.
        plain = [index for index, line in enumerate(lines) if line.pieces and line.target.is_plain]
        # A prefix or a phrase may need pieces that a shortlist does not have.
        asking = [index for index, line in enumerate(lines) if line.pieces and not line.target.is_plain]
        hypotheses = {
            **self._search(lines, plain, self._model, options),
            **self._search(lines, asking, self._whole_model, options),
        }
        translations = []
        for index, line in enumerate(lines):
            best = self._chosen(hypotheses.get(index, []), line, options)
            translations.append(
                Translation(
                    line.text,
                    best[0].text if best else "",
                    best[0].score if best else 0.0,
                    tuple(self._subwords.source.pieces(line.pieces[line.tag_pieces :])),
                    best,
                )
            )
        return (
            self._with_probabilities(lines, translations, options) if options.probabilities else translations
        )

    def warn_about(
        self, line: PreparedLine, translation: Translation, settings: SearchSettings, warnings: LineWarnings
    ) -> None:
        """Warn, for readers, about a translation that repeats itself or was ended by the length limit."""
        if not translation.hypotheses or not warnings.translations:
            return
        best = translation.hypotheses[0]
        limit = longest_translation(settings, len(line.pieces)) + line.target.forced_pieces
        if repeated := repeated_phrase(best.pieces, shortest=self._shortest_phrase):
            warnings.repetition(line.number, text_of_pieces(repeated) or " ".join(repeated))
        elif len(best.pieces) >= limit:
            warnings.ended_by_limit(line.number, limit)

    def log_probabilities(
        self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], *, batch_size: int
    ) -> list[list[float]]:
        """Return the natural log-probability of each piece of the targets, and of their ends."""
        return SentenceBatches(sources, batch_size=batch_size, length_step=self._length_step).run(
            lambda source, members: forced_log_probabilities(
                self._whole_model, source, [targets[member] for member in members]
            ),
            device=self._device,
            precision=self._precision,
        )

    def next_words(self, line: PreparedLine, count: int) -> list[Continuation]:
        """Return the likeliest words after the prefix of a line, best first."""
        found = next_words(
            self._whole_model,
            line.target.prefix,
            self._target_texts,
            count=count,
            device=self._device,
            source=line.pieces,
        )
        return continuations(found, self._subwords.target, self._target_texts)

    def _search(
        self,
        lines: Sequence[PreparedLine],
        indices: Sequence[int],
        model: Searchable[Any, Any],
        options: SearchOptions,
    ) -> dict[int, list[PieceHypothesis]]:
        """Return the hypotheses of the lines with these indices, by index."""
        chosen = [lines[index] for index in indices]
        hypotheses = SentenceBatches(
            [line.pieces for line in chosen], batch_size=options.batch_size, length_step=self._length_step
        ).run(
            lambda source, members: beam_search(
                model,
                source,
                options.settings,
                n_best=options.candidates,
                keep_attention=options.attention or options.alignment,
                constraints=BatchConstraints(
                    [chosen[member].target for member in members], self._target_texts
                ),
                language_model=self._language_model,
            ),
            device=self._device,
            precision=self._precision,
        )
        return dict(zip(indices, hypotheses, strict=True))

    def _chosen(
        self, candidates: Sequence[PieceHypothesis], line: PreparedLine, options: SearchOptions
    ) -> tuple[Hypothesis, ...]:
        """Return the n best hypotheses of a line."""
        hypotheses = [self._hypothesis(candidate, line, options) for candidate in candidates]
        sampling, utility = options.settings.method == "sampling", options.settings.decision
        if utility != "score" and hypotheses:
            # Samples come as often as the model says; hypotheses of a beam count as their probabilities say.
            logarithms = np.array([0.0 if sampling else each.log_probability for each in hypotheses])
            utilities = expected_utilities(
                [each.text for each in hypotheses],
                np.exp(logarithms - logarithms.max()),
                utility=utility,
                tokenize=options.tokenize,
            )
            hypotheses = [
                dataclasses.replace(each, expected_utility=float(value))
                for each, value in zip(hypotheses, utilities, strict=True)
            ]
            hypotheses.sort(key=lambda each: -(each.expected_utility or 0.0))
        if not sampling or utility != "score":
            # Of those with the same text the first is the best.
            different: dict[str, Hypothesis] = {}
            for each in hypotheses:
                different.setdefault(each.text, each)
            # An empty one is not an alternative; the best may be empty, if that is what the model prefers.
            hypotheses = [each for rank, each in enumerate(different.values()) if each.text or rank == 0]
        best = hypotheses[: options.n_best]
        if options.settings.beam_groups > 1 and utility == "score":
            best.sort(key=lambda each: -each.score)  # the search returns one of each group, then further ones
        return tuple(best)

    def _hypothesis(
        self, candidate: PieceHypothesis, line: PreparedLine, options: SearchOptions
    ) -> Hypothesis:
        # A tag is none of the line's pieces; what attends most to it is aligned to nothing, as to the end.
        first, source_pieces = line.tag_pieces, len(line.pieces)
        text = self._subwords.target.decode(candidate.pieces)
        # Without the padding.
        weights = None if candidate.attention is None else candidate.attention[:, : source_pieces + 1]
        pairs: list[tuple[int, int]] = []
        if weights is not None and options.alignment:
            likeliest = weights.argmax(1).tolist()
            pairs = [
                (source - first, target)
                for target, source in enumerate(likeliest)
                if first <= source < source_pieces
            ]
        return Hypothesis(
            text if line.case is None else self._subwords.target.form.in_case(text, line.case),
            candidate.score,
            candidate.log_probability,
            tuple(self._subwords.target.pieces(candidate.pieces)),
            tuple(pairs),
            weights[:, first:].numpy().copy() if weights is not None and options.attention else None,
            ids=candidate.pieces,
        )

    def _with_probabilities(
        self, lines: Sequence[PreparedLine], translations: Sequence[Translation], options: SearchOptions
    ) -> list[Translation]:
        """Return the translations with the probability of each piece of their hypotheses."""
        values = iter(
            self.log_probabilities(
                [
                    line.pieces
                    for line, translation in zip(lines, translations, strict=True)
                    for _ in translation.hypotheses
                ],
                [each.ids for translation in translations for each in translation.hypotheses],
                batch_size=options.batch_size,
            )
        )
        return [
            dataclasses.replace(
                translation,
                hypotheses=tuple(
                    dataclasses.replace(each, piece_log_probabilities=tuple(next(values)))
                    for each in translation.hypotheses
                ),
            )
            for translation in translations
        ]
