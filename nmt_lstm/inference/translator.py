"""Translating lines with trained models: one translation per line, in the order of the input."""

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
from nmt_lstm.inference.loading import Model, load_models, of_whole_vocabulary, output_bias
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
    """One model, or an ensemble of models of the same vocabularies, ready to translate.

    In float32 on a processor a line's translation does not depend on the lines beside it nor on the batch size,
    bit for bit.

    Args:
        models: the models, in evaluation mode, on one device; `load` prepares them for a processor.
        subwords: the vocabularies of all of them.
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
        # Models that choose among different pieces have no mean.
        whole = [of_whole_vocabulary(model) for model in self.models]
        self._model: Searchable[Any, Any] = self.models[0] if len(self.models) == 1 else Ensemble(whole)
        self._scorer: Searchable[Any, Any] = whole[0] if len(whole) == 1 else self._model
        # A model prepared for inference has its precision inside.
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
            folders: what ``nmt-lstm train -o`` or ``nmt-lstm export -o`` wrote.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
            precision: ``"auto"`` is float32, so that translations depend on nothing but the model and the line.
                ``"int8"`` is the fastest on a processor, ``"bf16"`` and ``"fp16"`` on a GPU. Exported models have
                their own, which ``"auto"`` takes.

        Raises:
            ModelFolderError: a folder is missing, damaged, or needs a plugin that is not installed.
            ConfigurationError: the models do not share their vocabularies; unknown device or precision.
            ResourceError: the device is not there, or does not compute in this precision.
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
        """Return what was loaded: languages, cells, device, precision and vocabulary sizes."""
        data, network = self.run.data, self.run.model
        languages = "-".join(filter(None, (data.source_language, data.target_language)))
        cells = " and ".join(dict.fromkeys((network.encoder.cell, network.decoder.cell)))
        models = f"{len(self.models)} models, " if len(self.models) > 1 else ""
        pieces = f"{self.subwords.source.size:,} source and {self.subwords.target.size:,} target pieces"
        parts = [languages, f"{models}{cells}", f"{self.precision} on {self.device}", pieces]
        return f"<{type(self).__name__}: {'; '.join(filter(None, parts))}>"

    @property
    def tokenizer(self) -> str:
        """The tokenizer of sacreBLEU for the target language: the run's, or the customary one."""
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
        """Translate lines and return one translation for each, in order; see `stream` for the arguments."""
        found = self.stream(
            lines,
            beam_size=beam_size,
            n_best=n_best,
            batch_size=batch_size,
            search=search,
            attention=attention,
            alignment=alignment,
        )
        return list(found)

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
        """Translate lines as they come, in memory that does not grow with their number.

        Args:
            lines: any lines. Blank ones give an empty translation; control characters count as spaces; lines of
                more than `search.max_source_pieces` pieces are cut. The last two are logged with the line's number.
                What is in the target language, or in an unknown script, is logged once.
            beam_size: hypotheses kept per sentence; by default that of the search settings.
            n_best: how many hypotheses each translation holds, at most; their texts differ.
            batch_size: sentences translated together, at most; it changes the speed, not the translations.
            window: lines read ahead to be sorted by length; by default 64 batches. 1 answers each line at once.
            search: search settings; by default those of the (first) model's run.
            attention: store the attention weights in each hypothesis.
            alignment: compute the alignment of each hypothesis; without it, alignments are empty and search is faster.
            first_line: number of the first line in warnings, where `lines` are a part of a text.
            warnings: those given so far, where they are; few of each kind are written.

        Raises:
            ConfigurationError: an argument is out of its range, or `lines` is one string.
            NotTextError: a line is not a string; the lines before it in other windows are translated.
            ResourceError: a single sentence does not fit into memory.
        """
        check_lines(lines=lines)
        check_positive(n_best=n_best, batch_size=batch_size, window=1 if window is None else window)
        settings = with_beam_size(search or self.run.search, beam_size)
        check_search(settings, n_best)
        numbered = enumerate(lines, start=first_line)
        given = LineWarnings() if warnings is None else warnings
        ahead = window or batch_size * WINDOW_BATCHES
        # Of a text in parts, only the first is looked at: the parts may be in different processes.
        check = self._input_check if first_line == 1 else None
        return self._stream(
            numbered,
            settings,
            n_best,
            batch_size,
            ahead,
            given,
            check,
            attention=attention,
            alignment=alignment,
        )

    def score(
        self, sources: Sequence[str], targets: Sequence[str], *, batch_size: int = 64
    ) -> list[ScoredTranslation]:
        """Return the log-probability that the model gives to each target as the translation of its source.

        Lines are prepared as by `stream`; targets are never cut, and an empty one is the probability of the end.

        Raises:
            ConfigurationError: an argument is out of its range, or `sources` or `targets` is one string.
            DataError: the numbers of lines differ.
            NotTextError: a line is not a string.
            ResourceError: a single pair does not fit into memory.
        """
        check_lines(sources=sources, targets=targets)
        check_positive(batch_size=batch_size)
        if len(sources) != len(targets):
            raise DataError(
                f"{len(sources)} sources but {len(targets)} targets; give one target line for each source line."
            )
        limit = self.run.search.max_source_pieces
        prepared = list(self._prepare(enumerate(sources, start=1), limit, LineWarnings()))
        targets = [
            without_line_end(checked_text(number, line)) for number, line in enumerate(targets, start=1)
        ]
        pieces = self.subwords.target.encode_lines(targets)
        batches = SentenceBatches([line.pieces for line in prepared], batch_size=batch_size)
        found = batches.run(
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
            for line, target, ids, values in zip(prepared, targets, pieces, found, strict=True)
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
        # The same text may be found in other pieces too; those who ask for several want different texts.
        searched = settings.beam_size if n_best > 1 else 1
        while ahead := list(itertools.islice(numbered, window)):
            prepared = list(self._prepare(ahead, settings.max_source_pieces, warnings))
            if check is not None:
                check.see([line.text for line in prepared], [line.pieces for line in prepared])
            sentences = [line.pieces for line in prepared if line.pieces]
            found = SentenceBatches(sentences, batch_size=batch_size).run(
                lambda source, _: beam_search(
                    self._model, source, settings, n_best=searched, keep_attention=attention or alignment
                ),
                device=self.device,
                precision=self._autocast,
            )
            results = iter(found)
            for line in prepared:
                best = next(results) if line.pieces else []
                yield self._translation(line, best, n_best, attention=attention, alignment=alignment)

    def _prepare(
        self, numbered: Iterable[tuple[int, str]], limit: int, warnings: LineWarnings
    ) -> Iterator[_Line]:
        """Turn numbered lines into pieces, none for a blank line."""
        texts = [(number, without_line_end(checked_text(number, line))) for number, line in numbered]
        # What holds only spaces is blank, and control characters count as spaces.
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
        self, line: _Line, found: list[PieceHypothesis], n_best: int, *, attention: bool, alignment: bool
    ) -> Translation:
        texts: dict[str, Hypothesis] = {}
        for each in found:
            hypothesis = self._hypothesis(each, len(line.pieces), attention=attention, alignment=alignment)
            texts.setdefault(hypothesis.text, hypothesis)
        hypotheses = tuple(texts.values())[:n_best]
        best = hypotheses[0] if hypotheses else None
        return Translation(
            line.text,
            best.text if best else "",
            best.score if best else 0.0,
            tuple(self.subwords.source.pieces(line.pieces)),
            hypotheses,
        )

    def _hypothesis(
        self, found: PieceHypothesis, source_pieces: int, *, attention: bool, alignment: bool
    ) -> Hypothesis:
        # Without the padding.
        paid = None if found.attention is None else found.attention[:, : source_pieces + 1]
        pairs: list[tuple[int, int]] = []
        if paid is not None and alignment:
            looked_at = paid.argmax(1).tolist()
            pairs = [(source, target) for target, source in enumerate(looked_at) if source < source_pieces]
        return Hypothesis(
            self.subwords.target.decode(list(found.pieces)),
            found.score,
            found.log_probability,
            tuple(self.subwords.target.pieces(list(found.pieces))),
            tuple(pairs),
            paid.numpy().copy() if paid is not None and attention else None,
        )
