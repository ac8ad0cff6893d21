"""Warnings about input in the target language of a model, or in a script that it does not know."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.text.scripts import letter_scripts, scripts_of
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.written_pieces import are_characters

__all__ = ["InputCheck"]

# Fewer pieces are not reliable; with this many, 20 sentences of Multi30k, the figures below vary by 0.3.
PIECES = 300
# Nats per piece by which a text of the target language may be less probable than the model's own target text. Measured:
# Multi30k de-en has -0.3 to 0.2 for English and 3.6 to 4.6 for German, built-in en-ja -1.0 to -0.4 for Japanese and 0.37 to
# 0.7 for English. So text of the target language from a different domain (0.5 to 1.0) is not recognized; a false warning
# would be worse.
LARGEST_EXCESS = 0.25
# Measured fraction of bytes among the pieces: 0 to 0.18 in a known script, 0.79 to 0.99 for Japanese in Multi30k de-en.
LARGEST_BYTE_FRACTION = 0.7
# Fraction of letters in the scripts of a language: foreign names and quotations are in others.
SCRIPT_FRACTION = 0.9
# Names and brands in Latin letters are common in text of all scripts, so a line of a few words says little.
MIN_LATIN_LETTERS = 40

logger = logging.getLogger(__name__)


class InputCheck:
    """Compares the pieces of the first input lines with those that the model knows, and warns at most once.

    The biases of the output layer start at, and stay near, the log frequencies of target pieces. Text whose pieces are as
    probable under them as the target text itself is not source text. Where the two languages have different scripts, a
    single line is enough.

    Args:
        subwords: of the model.
        languages: source and target; if one is empty, or both are the same, the languages are not compared.
        bias: of the model's output layer, (V,); None if it is not known.
    """

    def __init__(self, subwords: Subwords, languages: tuple[str, str], bias: Tensor | None) -> None:
        self._subwords = subwords
        self._languages = languages
        # Letters are about as frequent in one language as in another.
        has_words = not are_characters(subwords.target.own_texts)
        comparable = all(languages) and languages[0] != languages[1] and has_words
        # A vocabulary of bytes has a space besides them.
        self._knows_scripts = len(subwords.source.own_texts) > 1
        self._frequencies = (
            bias.detach().float().cpu().log_softmax(0) if bias is not None and comparable else None
        )
        source_scripts, target_scripts = map(scripts_of, languages)
        # Japanese and Chinese share a script, so that letters say little.
        is_telling = source_scripts and not source_scripts & target_scripts
        self._target_scripts = target_scripts if is_telling else frozenset[str]()
        self._texts: list[str] = []
        self._pieces: list[int] = []
        self._is_done = False

    def add(self, texts: Sequence[str], pieces: Sequence[Sequence[int]]) -> None:
        """Add lines and their source pieces; as soon as there are enough, decide and perhaps warn."""
        for text, text_pieces in zip(texts, pieces, strict=True):
            if self._is_done:
                return
            if not any(map(str.isalpha, text)):  # numbers are the same in both languages
                continue
            self._texts.append(text)
            self._pieces.extend(text_pieces)
            if len(self._pieces) >= PIECES:
                self._decide()

        if self._is_in_target_script():
            self._is_done = True
            self._warn_of_target()

    def _decide(self) -> None:
        self._is_done = True
        if self._knows_scripts and self._subwords.source.byte_share(self._pieces) > LARGEST_BYTE_FRACTION:
            logger.warning(
                "the input is in a script that this model was hardly trained on: most of its pieces are single bytes. Are "
                "the model and the file the right ones?"
            )
        elif self._is_in_target_script() or self._looks_like_target():
            self._warn_of_target()
        self._texts.clear()
        self._pieces.clear()

    def _warn_of_target(self) -> None:
        source, target = self._languages
        logger.warning(
            "the input looks like '%s', but this model translates from '%s' to '%s'. Are source and target swapped?",
            target, source, target,
        )  # fmt: skip

    def _is_in_target_script(self) -> bool:
        """Whether nearly all letters are in the scripts of the target language, which are not those of the source."""
        if not self._target_scripts:
            return False
        letters = letter_scripts(self._texts)
        enough = MIN_LATIN_LETTERS if "LATIN" in self._target_scripts else 1
        count = sum(letters[script] for script in self._target_scripts)
        return count >= max(enough, SCRIPT_FRACTION * letters.total())

    def _looks_like_target(self) -> bool:
        if self._frequencies is None:
            return False
        # Encoded again: the target vocabulary may be a different one.
        pieces = [piece for line in self._subwords.target.encode_lines(self._texts) for piece in line]
        entropy = -(self._frequencies.exp() * self._frequencies).sum()
        return bool(-self._frequencies[torch.tensor(pieces)].mean() - entropy < LARGEST_EXCESS)
