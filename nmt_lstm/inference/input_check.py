"""Whether the input is what a model reads at all: not in its target language, nor in a script that it does not know."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.text.subwords import Subwords

__all__ = ["InputCheck"]

# Fewer pieces say too little; with these, 20 sentences of Multi30k, the figures below vary by 0.3.
PIECES = 300
# Nats per piece by which a text of the target language may be less probable than the model's own target text. Measured:
# Multi30k de-en has -0.3 to 0.2 for English and 3.6 to 4.6 for German, built-in en-ja -1.0 to -0.4 for Japanese and 0.37 to
# 0.7 for English. So a text of the target language from a different domain (0.5 to 1.0) is not recognised; a warning that
# is wrong would be worse.
LARGEST_EXCESS = 0.25
# Measured: of a text in a known script 0 to 0.18 of the pieces are bytes, of Japanese for Multi30k de-en 0.79 to 0.99.
LARGEST_BYTE_SHARE = 0.7

logger = logging.getLogger(__name__)


class InputCheck:
    """Looks at the first lines of an input and warns at most once, by comparing their pieces with what the model knows.

    The biases of the output layer start at, and stay near, the logarithms of the frequencies of target pieces. A text
    whose pieces are as probable by them as the target text itself is not source text.

    Args:
        subwords: of the model.
        languages: source and target; where one is not named, or both are the same, the two sides may well look alike.
        bias: (V,), of the model's output layer; None if it is not known.
    """

    def __init__(self, subwords: Subwords, languages: tuple[str, str], bias: Tensor | None) -> None:
        self._subwords = subwords
        self._languages = languages
        named = all(languages) and languages[0] != languages[1]
        self._frequencies = bias.detach().float().cpu().log_softmax(0) if bias is not None and named else None
        self._texts: list[str] = []
        self._pieces: list[int] = []
        self._is_over = False

    def see(self, texts: Sequence[str], pieces: Sequence[Sequence[int]]) -> None:
        """Take lines and their source pieces; warn if it is time, and there is reason to."""
        for text, own in zip(texts, pieces, strict=True):
            if self._is_over:
                return
            if not any(map(str.isalpha, text)):  # numbers are the same in both languages
                continue
            self._texts.append(text)
            self._pieces.extend(own)
            if len(self._pieces) >= PIECES:
                self._decide()

    def _decide(self) -> None:
        self._is_over = True
        if self._subwords.source.byte_share(self._pieces) > LARGEST_BYTE_SHARE:
            logger.warning(
                "the input is in a script that this model was hardly trained on: nearly all of it is spelled in bytes. Is "
                "it the right model, and the right file?"
            )
        elif self._looks_like_target():
            source, target = self._languages
            logger.warning(
                "the input looks like '%s', but this model translates from '%s' to '%s'. Are source and target exchanged?",
                target, source, target,
            )  # fmt: skip
        self._texts.clear()
        self._pieces.clear()

    def _looks_like_target(self) -> bool:
        if self._frequencies is None:
            return False
        # By the target's vocabulary: it may be a different one.
        pieces = [piece for line in self._subwords.target.encode_lines(self._texts) for piece in line]
        entropy = -(self._frequencies.exp() * self._frequencies).sum()
        return bool(-self._frequencies[torch.tensor(pieces)].mean() - entropy < LARGEST_EXCESS)
