"""Language models for people and programs: the next word, texts after a prompt, and the probability of given lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from nmt_lstm.config.schema import RunSettings, SearchSettings
from nmt_lstm.evaluation.perplexity import TextLikelihood
from nmt_lstm.inference.checked_arguments import check_lines, check_positive, checked_text, with_beam_size
from nmt_lstm.inference.generated_text import Continuation, GeneratedText, ScoredText, continuations
from nmt_lstm.inference.language_model import SearchableText, load_text_model
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.constraints import BatchConstraints, PieceConstraints
from nmt_lstm.search.forced import forced_log_probabilities
from nmt_lstm.search.hypotheses import Hypothesis
from nmt_lstm.search.limits import TextLimits
from nmt_lstm.search.next_words import next_piece_probabilities, next_words
from nmt_lstm.search.sentence_batches import SentenceBatches
from nmt_lstm.search.setting_checks import check_search
from nmt_lstm.text.lines import LineWarnings, has_unsafe, without_line_end
from nmt_lstm.text.special_pieces import END, END_OF_SENTENCE, UNKNOWN
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = ["LanguageModel"]

WINDOW_BATCHES = 64


class LanguageModel:
    """A language model, ready to predict.

    In float32 on a processor, results for a line depend neither on the other lines nor on the batch size, to the last bit.

    Args:
        model: the network, in evaluation mode.
        vocabulary: its pieces.
        run: its run, whose search settings are the defaults.
        device: where it is.
        precision: ``"float32"``, ``"bf16"``, ``"fp16"``, or ``"int8"`` for a model prepared in it.
        autocast: precision of autocast: float32 for a model that computes in its precision by itself.
    """

    def __init__(
        self,
        *,
        model: SearchableText,
        vocabulary: Vocabulary,
        run: RunSettings,
        device: torch.device,
        precision: Precision | InferencePrecision = "float32",
        autocast: Precision = "float32",
    ) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.run = run
        self.device = device
        self.precision = precision
        self._autocast: Precision = autocast
        self._texts = PieceTexts(vocabulary.texts)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto", precision: str = "auto") -> LanguageModel:
        """Load the folder of a language model.

        Args:
            folder: written by ``nmt-lstm train --task language-model -o``.
            device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
            precision: ``"auto"`` is float32; ``"int8"`` is the fastest on a processor, ``"bf16"`` and ``"fp16"`` on a GPU.

        Raises:
            ModelFolderError: the folder is missing, damaged, or needs a plugin that is not installed.
            WrongTaskError: the model is not a language model.
            ConfigurationError: the device or precision is unknown.
            ResourceError: the device does not exist, or does not support the precision.
        """
        loaded = load_text_model(folder, device, precision)
        return cls(
            model=loaded.model,
            vocabulary=loaded.vocabulary,
            run=loaded.run,
            device=loaded.device,
            precision=loaded.precision,
            autocast=loaded.autocast,
        )

    def __repr__(self) -> str:
        """Describe the model: language, cell, precision, device and vocabulary size."""
        network, language = self.run.model.decoder, self.run.data.source_language
        facts = [
            language,
            network.cell,
            f"{self.precision} on {self.device}",
            f"{self.vocabulary.size:,} pieces",
        ]
        return f"<{type(self).__name__}: {'; '.join(filter(None, facts))}>"

    def next_pieces(
        self, prompt: str = "", n: int = 10, *, line: int = 1, warnings: LineWarnings | None = None
    ) -> list[Continuation]:
        """Return the likeliest pieces after a prompt, best first.

        Args:
            prompt: beginning of a text; "" is none.
            n: number of pieces.
            line: number of the prompt, for warnings.
            warnings: about prompts; by default there are none.

        Raises:
            ConfigurationError: `n` is below 1.
            NotTextError: the prompt is not a string.
        """
        check_positive(n=n)
        scores = next_piece_probabilities(self.model, self._prompt(line, prompt, warnings), self.device)
        scores[:END] = -torch.inf
        values, pieces = scores.topk(min(n, len(scores) - END))
        names = self.vocabulary.pieces(pieces.tolist())
        return [
            Continuation(name, float(np.exp(value)), is_end=piece == END)
            for piece, name, value in zip(pieces.tolist(), names, values.tolist(), strict=True)
        ]

    def next_words(
        self, prompt: str = "", n: int = 10, *, line: int = 1, warnings: LineWarnings | None = None
    ) -> list[Continuation]:
        """Return the likeliest words after a prompt, best first; punctuation marks are words, too.

        The probability of a word is that of its pieces and of a word boundary after them. In scripts without spaces, each
        piece is a word. Pieces that would continue the last word of the prompt are left out.

        Args:
            prompt: beginning of a text, up to the end of a word; "" is none.
            n: number of words.
            line: number of the prompt, for warnings.
            warnings: about prompts; by default there are none.

        Raises:
            ConfigurationError: `n` is below 1.
            NotTextError: the prompt is not a string.
        """
        check_positive(n=n)
        pieces = self._prompt(line, prompt, warnings)
        found = next_words(self.model, pieces, self._texts, count=n, device=self.device)
        return continuations(found, self.vocabulary, self._texts)

    def score(self, lines: Iterable[str], *, batch_size: int = 64) -> list[ScoredText]:
        """Return the log-probability of each line and its end; for an empty line, that of the end.

        Control characters count as spaces. Lines are never truncated.

        Raises:
            ConfigurationError: an argument is out of range, or `lines` is a single string.
            NotTextError: a line is not a string.
            ResourceError: a single line does not fit into memory.
        """
        check_lines(lines=lines)
        check_positive(batch_size=batch_size)
        texts = [without_line_end(checked_text(number, line)) for number, line in enumerate(lines, start=1)]
        encoded = self.vocabulary.encode_lines(texts)
        # A line stands for its source, too, of which the model only sees the number: batches are of similar lengths.
        values = SentenceBatches(encoded, batch_size=batch_size).run(
            lambda source, members: forced_log_probabilities(
                self.model, source, [encoded[member] for member in members]
            ),
            device=self.device,
            precision=self._autocast,
        )
        return [
            ScoredText(
                text,
                sum(logarithms),
                (*self.vocabulary.pieces(pieces), END_OF_SENTENCE),
                tuple(logarithms),
                sum(piece == UNKNOWN for piece in pieces),
            )
            for text, pieces, logarithms in zip(texts, encoded, values, strict=True)
        ]

    def likelihood(self, lines: Iterable[str], *, batch_size: int = 64) -> TextLikelihood:
        """Return the log-probability of a text, and its perplexity; blank lines are left out, as in training.

        Raises:
            ConfigurationError: an argument is out of range, or `lines` is a single string.
            NotTextError: a line is not a string.
        """
        check_lines(lines=lines)
        texts = [checked_text(number, line) for number, line in enumerate(lines, start=1)]
        scored = self.score([text for text in texts if text.strip()], batch_size=batch_size)
        return TextLikelihood.of((each.text, each.log_probability, len(each.pieces) - 1) for each in scored)

    def generate(
        self,
        prompts: Iterable[str] = ("",),
        *,
        n: int = 1,
        search: SearchSettings | None = None,
        beam_size: int | None = None,
        batch_size: int = 64,
        first_line: int = 1,
        warnings: LineWarnings | None = None,
    ) -> Iterator[list[GeneratedText]]:
        """Write texts after prompts, and yield those of each prompt, best first; prompts are read as they are needed.

        With ``search.method = "sampling"``, the default of language models, texts are drawn: the same for the same seed, the
        number of the prompt and the number of the text, at any batch size. With ``"beam"``, they are the likeliest ones.

        Args:
            prompts: beginnings of the texts; "" is none. A prompt should end where a word ends.
            n: texts for each prompt.
            search: search settings; by default those of the model's run.
            beam_size: hypotheses in the beam; by default that of the search settings.
            batch_size: the largest number of prompts in a batch; it changes the speed, not the texts.
            first_line: number of the first prompt.
            warnings: of earlier prompts, if any.

        Raises:
            ConfigurationError: an argument is out of range, or `prompts` is a single string.
            NotTextError: a prompt is not a string.
            ResourceError: a single text does not fit into memory.
        """
        check_lines(prompts=prompts)
        check_positive(n=n, batch_size=batch_size)
        settings = with_beam_size(search or self.run.search, beam_size)
        check_search(settings, n)
        return self._generate(
            enumerate(prompts, start=first_line),
            n,
            settings,
            batch_size,
            LineWarnings() if warnings is None else warnings,
        )

    def _generate(
        self,
        numbered: Iterator[tuple[int, str]],
        n: int,
        settings: SearchSettings,
        batch_size: int,
        warnings: LineWarnings,
    ) -> Iterator[list[GeneratedText]]:
        while window := list(itertools.islice(numbered, batch_size * WINDOW_BATCHES)):
            prompts = [without_line_end(checked_text(number, text)) for number, text in window]
            encoded = [
                self._prompt(number, prompt, warnings)
                for (number, _), prompt in zip(window, prompts, strict=True)
            ]
            constraints = [
                PieceConstraints(number, tuple(pieces))
                for (number, _), pieces in zip(window, encoded, strict=True)
            ]
            found = SentenceBatches(encoded, batch_size=batch_size).run(
                lambda source, members, lines=constraints: beam_search(  # type: ignore[misc]
                    self.model,
                    source,
                    settings,
                    n_best=n,
                    keep_attention=False,
                    constraints=BatchConstraints([lines[member] for member in members], self._texts),
                    limits=TextLimits(settings, np.array([len(lines[member].prefix) for member in members])),
                ),
                device=self.device,
                precision=self._autocast,
            )
            for prompt, pieces, hypotheses in zip(prompts, encoded, found, strict=True):
                yield [self._text(prompt, pieces, each, settings) for each in hypotheses]

    def _prompt(self, number: int, prompt: str, warnings: LineWarnings | None = None) -> list[int]:
        """Return the pieces of a prompt; a piece that the vocabulary does not have is left out, with a warning."""
        pieces = self.vocabulary.encode(without_line_end(checked_text(number, prompt)))
        if warnings is not None and has_unsafe(prompt):
            warnings.unsafe(number)
        if warnings is not None and UNKNOWN in pieces:
            warnings.unknown(number)
        return [piece for piece in pieces if piece != UNKNOWN]

    def _text(
        self, prompt: str, pieces: Sequence[int], hypothesis: Hypothesis, settings: SearchSettings
    ) -> GeneratedText:
        return GeneratedText(
            prompt,
            self.vocabulary.decode(hypothesis.pieces),
            hypothesis.log_probability,
            hypothesis.score,
            tuple(self.vocabulary.pieces(hypothesis.pieces)),
            len(pieces),
            len(hypothesis.pieces) < len(pieces) + settings.max_pieces,
        )
