"""Translation of lines with trained models: one translation per line, in the order of the input."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from nmt_lstm.config.schema import RunSettings, SearchSettings
from nmt_lstm.inference.checked_arguments import (
    check_lines,
    check_positive,
    checked_text,
    with_beam_size,
)
from nmt_lstm.inference.generated_text import Continuation
from nmt_lstm.inference.html_translation import HtmlTranslation, Requests
from nmt_lstm.inference.inference_model import InferenceModel
from nmt_lstm.inference.input_check import InputCheck
from nmt_lstm.inference.language_model import load_fusion_model
from nmt_lstm.inference.line_search import LineSearch, SearchOptions
from nmt_lstm.inference.line_translation import LineTranslation
from nmt_lstm.inference.loading import Model, load_models, output_bias, without_shortlist
from nmt_lstm.inference.requests import LinePreparation, TranslationRequest, as_request, tagged
from nmt_lstm.inference.scoring import scored
from nmt_lstm.inference.text_options import TextOptions, TextTreatment
from nmt_lstm.inference.translation import Hypothesis, ScoredTranslation, Translation
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.search.ensemble import Ensemble
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.search.sentence_batches import LENGTH_STEP
from nmt_lstm.text.lines import LineWarnings
from nmt_lstm.text.subwords import Subwords

__all__ = ["Hypothesis", "ScoredTranslation", "Translation", "Translator"]

WINDOW_BATCHES = 64


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
        language_model: takes part in the search, with `search.language_model_weight`; its target pieces are those of the
            models.
        length_step: lengths of sentences are padded to multiples of it; see `SentenceBatches`.
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
        language_model: Searchable[Any, Any] | None = None,
        length_step: int = LENGTH_STEP,
    ) -> None:
        self.models = tuple(models)
        self.folders = tuple(folders)
        self.subwords = subwords
        self.run = run
        self.device = device
        self.precision = precision
        self.language_model = language_model
        self._preparation = LinePreparation(subwords, run.data.tags() if run.data.is_tagged else ())
        # Scores need the whole vocabulary, and an ensemble the same vocabulary in all models: neither uses a shortlist.
        complete = [without_shortlist(model) for model in self.models]
        ensemble: Searchable[Any, Any] | None = Ensemble(complete) if len(complete) > 1 else None
        # A model prepared for inference computes in its precision by itself.
        prepared = all(isinstance(model, InferenceModel) for model in self.models)
        self._search = LineSearch(
            model=ensemble or self.models[0],
            whole_model=ensemble or complete[0],
            language_model=language_model,
            subwords=subwords,
            device=device,
            precision="float32" if prepared or precision == "int8" else precision,
            length_step=length_step,
        )
        self._lines = LineTranslation(preparation=self._preparation, search=self._search)
        self._html = HtmlTranslation(self._lines)
        languages = run.data.source_language, run.data.target_language
        self._input_check = InputCheck(subwords, languages, output_bias(self.models[0]))

    @classmethod
    def load(
        cls,
        folders: str | Path | Sequence[str | Path],
        *,
        device: str = "auto",
        precision: str = "auto",
        language_model: str | Path | None = None,
        length_step: int = LENGTH_STEP,
    ) -> Translator:
        """Load one model folder, or several as an ensemble.

        Args:
            folders: written by ``nmt-lstm train -o`` or ``nmt-lstm export -o``.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
            precision: ``"auto"`` is float32, so that translations depend only on the model and the line, or the
                precision of an exported folder. ``"int8"`` is the fastest on a processor, ``"bf16"`` and ``"fp16"``
                are on a GPU.
            language_model: folder of a language model with the same target pieces, trained with
                ``subwords.model`` set to the folder of the translation model. Its log-probabilities take part in every
                search with the weight `search.language_model_weight`.
            length_step: 32 is faster where few lines come together; the last bits of scores depend on it.

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
            length_step=length_step,
            language_model=None
            if language_model is None
            else load_fusion_model(
                language_model, paths[0], device=loaded.device, precision=loaded.precision
            ),
        )

    def __repr__(self) -> str:
        """Describe the translator: languages, cells, precision, device and vocabulary sizes."""
        data, network = self.run.data, self.run.model
        languages = "-".join(filter(None, (data.source_language, data.target_language)))
        encoder = network.encoder.cell if network.encoder.is_recurrent else network.encoder.name
        cells = " and ".join(dict.fromkeys((encoder, network.decoder.cell)))
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
        lines: Iterable[str | TranslationRequest],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        batch_size: int = 64,
        search: SearchSettings | None = None,
        attention: bool = False,
        alignment: bool = True,
        probabilities: bool = False,
        text: TextOptions | None = None,
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
            probabilities=probabilities,
            text=text,
        )
        return list(translations)

    def stream(
        self,
        lines: Iterable[str | TranslationRequest],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        batch_size: int = 64,
        window: int | None = None,
        search: SearchSettings | None = None,
        attention: bool = False,
        alignment: bool = True,
        probabilities: bool = False,
        text: TextOptions | None = None,
        first_line: int = 1,
        warnings: LineWarnings | None = None,
    ) -> Iterator[Translation]:
        """Translate lines as they come, in memory that does not depend on their number.

        Args:
            lines: any lines, as text or as a `TranslationRequest`. Blank ones have an empty translation; control
                characters count as spaces; lines of more than `search.max_source_pieces` pieces are truncated. The last
                two are logged with the line number. Text in the target language, or in an unknown script, is logged once.
            beam_size: hypotheses per sentence in the beam; by default that of the search settings.
            n_best: the largest number of hypotheses in each translation; their texts differ.
            batch_size: the largest number of sentences in a batch; it changes the speed, not the translations.
            window: number of lines that are read ahead and sorted by length; by default 64 batches. With 1, each line
                is translated before the next is read.
            search: search settings; by default those of the (first) model's run.
            attention: store the attention weights in each hypothesis.
            alignment: compute the alignment of each hypothesis; without it, alignments are empty and search is faster.
            probabilities: compute the probability of each piece of each hypothesis, in a second pass.
            text: what is kept of each line as it is, and whether its sentences are translated separately.
            first_line: number of the first line in warnings, if `lines` are a later part of a text.
            warnings: the warnings of the parts before, if any; few of each kind are logged.

        Raises:
            ConfigurationError: an argument is out of range, or `lines` is a single string.
            NotTextError: a line is not a string; earlier windows have been translated.
            ResourceError: a single sentence does not fit into memory, or the package that splits sentences is missing.
        """
        check_lines(lines=lines)
        check_positive(n_best=n_best, batch_size=batch_size, window=1 if window is None else window)
        options = self._search.options(
            with_beam_size(search or self.run.search, beam_size),
            self.run,
            n_best,
            batch_size,
            attention=attention,
            alignment=alignment,
            probabilities=probabilities,
        )
        # Of a text in parts, only the first is checked: the parts may be translated in different processes.
        return self._stream(
            enumerate(lines, start=first_line),
            options,
            TextTreatment(text or TextOptions(), self.run.data, self.subwords),
            window or batch_size * WINDOW_BATCHES,
            LineWarnings() if warnings is None else warnings,
            self._input_check if first_line == 1 else None,
        )

    def next_words(self, line: str | TranslationRequest, n: int = 10) -> list[Continuation]:
        """Return the likeliest words after the prefix of a request, or at the beginning of a translation, best first.

        The probability of a word is that of its pieces and of a word boundary after them, by the model alone; the end of
        the translation is ``</s>``. In scripts without spaces, each piece is a word. A prefix ends with a word.

        Raises:
            ConfigurationError: `n` is below 1.
            NotTextError: the line is not a string.
        """
        check_positive(n=n)
        request = as_request(1, line)
        (prepared,) = self._preparation.prepare(
            [(1, request)], self.run.search.max_source_pieces, LineWarnings(shown=False)
        )
        return self._search.next_words(prepared, n) if prepared.pieces else []

    def translate_html(
        self,
        document: str,
        *,
        beam_size: int | None = None,
        batch_size: int = 64,
        search: SearchSettings | None = None,
        text: TextOptions | None = None,
        requests: Requests | None = None,
        warnings: LineWarnings | None = None,
    ) -> str:
        """Return an HTML document, or a part of one, with its text translated; the arguments are those of `stream`.

        Block elements separate sentences; inline elements stand where the attention says. Comments, scripts, style
        sheets, ``code``, ``pre`` and elements with ``translate="no"`` are not changed. Broken markup is text, or stays
        where it is. Warnings have the line numbers of the document.
        `requests` takes the texts of all blocks, and returns what is asked of them.

        Raises:
            ConfigurationError: an argument is out of range.
            NotTextError: the document is not a string.
        """
        check_positive(batch_size=batch_size)
        settings = with_beam_size(search or self.run.search, beam_size)
        return self._html.translate(
            [checked_text(1, document)],
            self._search.options(settings, self.run, 1, batch_size),
            TextTreatment(text or TextOptions(), self.run.data, self.subwords),
            LineWarnings() if warnings is None else warnings,
            self._input_check,
            requests,
        )[0]

    def translate_documents(self, documents: Sequence[str], text: TextOptions, tag: str = "") -> list[str]:
        """Return HTML documents as `translate_html` does, with the blocks of all in common batches, without warnings."""
        return self._html.translate(
            documents,
            self._search.options(self.run.search, self.run, 1, batch_size=64),
            TextTreatment(text, self.run.data, self.subwords),
            LineWarnings(shown=False),
            None,
            lambda texts: tagged(texts, tag),
        )

    def score(
        self, sources: Sequence[str | TranslationRequest], targets: Sequence[str], *, batch_size: int = 64
    ) -> list[ScoredTranslation]:
        """Return the log-probability of each target as the translation of its source.

        Lines are prepared as in `stream`; of a `TranslationRequest`, the tag counts. Targets are never truncated; for an
        empty one, the result is the probability of the end of sentence.

        Raises:
            ConfigurationError: an argument is out of range, or `sources` or `targets` is a single string.
            DataError: the numbers of lines differ.
            NotTextError: a line is not a string.
            ResourceError: a single pair does not fit into memory.
        """
        check_lines(sources=sources, targets=targets)
        check_positive(batch_size=batch_size)
        return scored(
            sources,
            targets,
            self._preparation,
            self._search,
            self.subwords.target,
            limit=self.run.search.max_source_pieces,
            batch_size=batch_size,
        )

    def _stream(
        self,
        numbered: Iterator[tuple[int, str | TranslationRequest]],
        options: SearchOptions,
        treatment: TextTreatment,
        window: int,
        warnings: LineWarnings,
        check: InputCheck | None,
    ) -> Iterator[Translation]:
        while ahead := list(itertools.islice(numbered, window)):
            lines = [(number, as_request(number, line)) for number, line in ahead]
            yield from self._lines.translations(lines, options, treatment, warnings, check)
