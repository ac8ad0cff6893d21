"""Translation of lines with trained models: one translation per line, in the order of the input."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nmt_lstm.config.schema import RunSettings, SearchSettings
from nmt_lstm.errors import DataError
from nmt_lstm.inference.checked_arguments import check_lines, check_positive, checked_text, with_beam_size
from nmt_lstm.inference.inference_model import InferenceModel
from nmt_lstm.inference.input_check import InputCheck
from nmt_lstm.inference.loading import Model, load_models, output_bias, without_shortlist
from nmt_lstm.inference.translation import Hypothesis, ScoredTranslation, Translation
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.search.beam_search import beam_search, check_search
from nmt_lstm.search.ensemble import Ensemble
from nmt_lstm.search.forced import forced_log_probabilities
from nmt_lstm.search.hypotheses import Hypothesis as PieceHypothesis
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.search.sentence_batches import SentenceBatches
from nmt_lstm.text.lines import LineWarnings, has_unsafe, single_line, without_line_end
from nmt_lstm.text.subwords import Subwords

__all__ = ["Hypothesis", "ScoredTranslation", "Translation", "Translator"]

WINDOW_BATCHES = 64
END_OF_SENTENCE = "</s>"


@dataclass(frozen=True)
class _Line:
    text: str
    pieces: list[int]


class Translator:
    """One model, or an ensemble of models with the same vocabularies, ready to translate.

    In float32 on a processor, the translation of a line depends neither on the other lines nor on the batch size, to
    the last bit.

    Args:
        models: the models, in evaluation mode, on one device; `load` prepares them for a processor.
        subwords: the vocabularies of all models.
        run: the first model's run; its search settings are the defaults.
        device: where the models are.
        precision: ``"float32"``, ``"bf16"``, ``"fp16"``, or ``"int8"`` for models prepared in it.
        folders: the model folders that the models were loaded from.
    """

    def __init__(
        self,
        *,
        models: Sequence[Model],
        subwords: Subwords,
        run: RunSettings,
        device: torch.device,
        precision: Precision | InferencePrecision = "float32",
        folders: Sequence[str | Path] = (),
    ) -> None:
        self.models = tuple(models)
        self.folders = tuple(folders)
        self.subwords = subwords
        self.run = run
        self.device = device
        self.precision = precision
        # Scores need the whole vocabulary, and an ensemble the same vocabulary in all models: neither uses a shortlist.
        complete = [without_shortlist(model) for model in self.models]
        self._model: Searchable[Any, Any] = self.models[0] if len(self.models) == 1 else Ensemble(complete)
        self._scorer: Searchable[Any, Any] = complete[0] if len(complete) == 1 else self._model
        # A model prepared for inference computes in its precision by itself.
        prepared = all(isinstance(model, InferenceModel) for model in self.models)
        self._autocast: Precision = "float32" if prepared or precision == "int8" else precision

        languages = run.data.source_language, run.data.target_language
        self._input_check = InputCheck(subwords, languages, output_bias(self.models[0]))

    @classmethod
    def load(
        cls,
        folders: str | Path | Sequence[str | Path],
        *,
        device: str = "auto",
        precision: str = "auto",
    ) -> Translator:
        """Load one model folder, or several as an ensemble.

        Args:
            folders: written by ``nmt-lstm train -o`` or ``nmt-lstm export -o``.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
            precision: ``"auto"`` is float32, so that translations depend only on the model and the line, or the
                precision of an exported folder. ``"int8"`` is the fastest on a processor, ``"bf16"`` and ``"fp16"``
                are on a GPU.

        Raises:
            ModelFolderError: a folder is missing, damaged, or needs a plugin that is not installed.
            ConfigurationError: the vocabularies differ, or the device or precision is unknown.
            ResourceError: the device does not exist, or does not support the precision.
        """
        paths = [folders] if isinstance(folders, (str, Path)) else list(folders)
        loaded = load_models(paths, device, precision)
        return cls(
            models=loaded.models,
            subwords=loaded.subwords,
            run=loaded.run,
            device=loaded.device,
            precision=loaded.precision,
            folders=paths,
        )

    def __repr__(self) -> str:
        """Describe the translator: languages, cells, precision, device and vocabulary sizes."""
        data, network = self.run.data, self.run.model
        languages = "-".join(filter(None, (data.source_language, data.target_language)))
        cells = " and ".join(dict.fromkeys((network.encoder.cell, network.decoder.cell)))
        models = f"{len(self.models)} models, " if len(self.models) > 1 else ""
        pieces = f"{self.subwords.source.size:,} source and {self.subwords.target.size:,} target pieces"
        facts = [languages, f"{models}{cells}", f"{self.precision} on {self.device}", pieces]
        return f"<{type(self).__name__}: {'; '.join(filter(None, facts))}>"

    @property
    def tokenizer(self) -> str:
        """SacreBLEU's tokenizer for the target language: the one in the run's settings, or the usual one."""
        from nmt_lstm.evaluation.scores import chosen_tokenizer

        return chosen_tokenizer(self.run.data.tokenize, self.run.data.target_language)

    def translate(
        self,
        lines: Iterable[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        batch_size: int = 64,
        search: SearchSettings | None = None,
        attention: bool = False,
        alignment: bool = True,
    ) -> list[Translation]:
        """Translate lines and return a translation for each, in order; the arguments are those of `stream`."""
        translations = self.stream(
            lines,
            beam_size=beam_size,
            n_best=n_best,
            batch_size=batch_size,
            search=search,
            attention=attention,
            alignment=alignment,
        )
        return list(translations)

    def stream(
        self,
        lines: Iterable[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        batch_size: int = 64,
        window: int | None = None,
        search: SearchSettings | None = None,
        attention: bool = False,
        alignment: bool = True,
        first_line: int = 1,
        warnings: LineWarnings | None = None,
    ) -> Iterator[Translation]:
        """Translate lines as they come, in memory that does not depend on their number.

        Args:
            lines: any lines. Blank ones have an empty translation; control characters count as spaces; lines of more
                than `search.max_source_pieces` pieces are truncated. The last two are logged with the line number.
                Text in the target language, or in an unknown script, is logged once.
            beam_size: hypotheses per sentence in the beam; by default that of the search settings.
            n_best: the largest number of hypotheses in each translation; their texts differ.
            batch_size: the largest number of sentences in a batch; it changes the speed, not the translations.
            window: number of lines that are read ahead and sorted by length; by default 64 batches. With 1, each line
                is translated before the next is read.
            search: search settings; by default those of the (first) model's run.
            attention: store the attention weights in each hypothesis.
            alignment: compute the alignment of each hypothesis; without it, alignments are empty and search is faster.
            first_line: number of the first line in warnings, if `lines` are a later part of a text.
            warnings: the warnings of the parts before, if any; few of each kind are logged.

        Raises:
            ConfigurationError: an argument is out of range, or `lines` is a single string.
            NotTextError: a line is not a string; earlier windows have been translated.
            ResourceError: a single sentence does not fit into memory.
        """
        check_lines(lines=lines)
        check_positive(n_best=n_best, batch_size=batch_size, window=1 if window is None else window)
        settings = with_beam_size(search or self.run.search, beam_size)
        check_search(settings, n_best)
        # Of a text in parts, only the first is checked: the parts may be translated in different processes.
        return self._stream(
            enumerate(lines, start=first_line),
            settings,
            n_best,
            batch_size,
            window or batch_size * WINDOW_BATCHES,
            LineWarnings() if warnings is None else warnings,
            self._input_check if first_line == 1 else None,
            attention=attention,
            alignment=alignment,
        )

    def score(
        self, sources: Sequence[str], targets: Sequence[str], *, batch_size: int = 64
    ) -> list[ScoredTranslation]:
        """Return the log-probability of each target as the translation of its source.

        Lines are prepared as in `stream`. Targets are never truncated; for an empty one, the result is the probability of
        the end of sentence.

        Raises:
            ConfigurationError: an argument is out of range, or `sources` or `targets` is a single string.
            DataError: the numbers of lines differ.
            NotTextError: a line is not a string.
            ResourceError: a single pair does not fit into memory.
        """
        check_lines(sources=sources, targets=targets)
        check_positive(batch_size=batch_size)
        if len(sources) != len(targets):
            raise DataError(
                f"there are {len(sources)} sources but {len(targets)} targets; pass one target line for each source line."
            )
        limit = self.run.search.max_source_pieces
        prepared = list(self._prepare(enumerate(sources, start=1), limit, LineWarnings()))
        targets = [
            without_line_end(checked_text(number, line)) for number, line in enumerate(targets, start=1)
        ]
        pieces = self.subwords.target.encode_lines(targets)
        batches = SentenceBatches([line.pieces for line in prepared], batch_size=batch_size)
        log_probabilities = batches.run(
            lambda source, members: forced_log_probabilities(
                self._scorer, source, [pieces[member] for member in members]
            ),
            device=self.device,
            precision=self._autocast,
        )
        return [
            ScoredTranslation(
                line.text,
                target,
                sum(values),
                (*self.subwords.target.pieces(ids), END_OF_SENTENCE),
                tuple(values),
            )
            for line, target, ids, values in zip(prepared, targets, pieces, log_probabilities, strict=True)
        ]

    def _stream(
        self,
        numbered: Iterator[tuple[int, str]],
        settings: SearchSettings,
        n_best: int,
        batch_size: int,
        window: int,
        warnings: LineWarnings,
        check: InputCheck | None,
        *,
        attention: bool,
        alignment: bool,
    ) -> Iterator[Translation]:
        # Several hypotheses may have the same text in different pieces, so all are needed to return different texts.
        searched = settings.beam_size if n_best > 1 else 1
        while ahead := list(itertools.islice(numbered, window)):
            prepared = list(self._prepare(ahead, settings.max_source_pieces, warnings))
            if check is not None:
                check.add([line.text for line in prepared], [line.pieces for line in prepared])
            sentences = [line.pieces for line in prepared if line.pieces]
            hypotheses = SentenceBatches(sentences, batch_size=batch_size).run(
                lambda source, _: beam_search(
                    self._model, source, settings, n_best=searched, keep_attention=attention or alignment
                ),
                device=self.device,
                precision=self._autocast,
            )
            remaining = iter(hypotheses)
            for line in prepared:
                line_hypotheses = next(remaining) if line.pieces else []
                yield self._translation(
                    line, line_hypotheses, n_best, attention=attention, alignment=alignment
                )

    def _prepare(
        self, numbered: Iterable[tuple[int, str]], limit: int, warnings: LineWarnings
    ) -> Iterator[_Line]:
        """Encode numbered lines and log warnings about them; a blank line has no pieces."""
        texts = [(number, without_line_end(checked_text(number, line))) for number, line in numbered]
        # A line of spaces is blank, and control characters count as spaces.
        encoded = self.subwords.source.encode_lines(
            [text if single_line(text).strip() else "" for _, text in texts]
        )
        for (number, text), pieces in zip(texts, encoded, strict=True):
            if has_unsafe(text):
                warnings.unsafe(number)
            if unknown := self.subwords.source.unknown_invisible(text):
                warnings.invisible(number, unknown[0])
            if len(pieces) > limit:
                warnings.too_long(number, len(pieces), limit)
            yield _Line(text, pieces[:limit])

    def _translation(
        self,
        line: _Line,
        candidates: list[PieceHypothesis],
        n_best: int,
        *,
        attention: bool,
        alignment: bool,
    ) -> Translation:
        by_text: dict[str, Hypothesis] = {}
        for candidate in candidates:
            hypothesis = self._hypothesis(
                candidate, len(line.pieces), attention=attention, alignment=alignment
            )
            by_text.setdefault(hypothesis.text, hypothesis)
        hypotheses = tuple(by_text.values())[:n_best]
        best = hypotheses[0] if hypotheses else None
        return Translation(
            line.text,
            best.text if best else "",
            best.score if best else 0.0,
            tuple(self.subwords.source.pieces(line.pieces)),
            hypotheses,
        )

    def _hypothesis(
        self, candidate: PieceHypothesis, source_size: int, *, attention: bool, alignment: bool
    ) -> Hypothesis:
        # The weights of the source pieces and the end, without padding.
        weights = None if candidate.attention is None else candidate.attention[:, : source_size + 1]
        pairs: list[tuple[int, int]] = []
        if weights is not None and alignment:
            strongest = weights.argmax(1).tolist()
            pairs = [(source, target) for target, source in enumerate(strongest) if source < source_size]
        pieces = list(candidate.pieces)
        return Hypothesis(
            self.subwords.target.decode(pieces),
            candidate.score,
            candidate.log_probability,
            tuple(self.subwords.target.pieces(pieces)),
            tuple(pairs),
            weights.numpy().copy() if weights is not None and attention else None,
        )
