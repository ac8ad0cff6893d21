"""Which of the served languages a text is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nmt_lstm.server.languages import canonical

__all__ = ["Detection", "LanguageDetector"]

# Of py3langid, for codes that it calls differently.
_CODES = {"pb": "pt", "zt": "zh", "nb": "no"}
LONGEST = 5_000
"""Characters that are looked at."""
ENOUGH = 300
"""Characters that are looked at where a list may have hundreds of texts."""
CERTAIN = 95.0
"""Percent: so sure, it is not wrong about any of the first 1,000 lines of Multi30k's test text, nor about their beginnings."""


class Detection(NamedTuple):
    """A language that a text may be in.

    Attributes:
        language: code of the served language.
        confidence: probability among the served languages, in percent.
    """

    language: str
    confidence: float


class LanguageDetector:
    """Tells the served languages apart by their sequences of bytes (langid.py, Lui and Baldwin 2012).

    With few languages it is right for nearly every sentence: see docs/serving.md.

    Args:
        languages: codes of the served languages.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        self.languages = tuple(languages)
        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        known = set(identifier.labels)
        self._served: dict[str, str] = {}
        for code in languages:
            plain = _CODES.get(canonical(code), canonical(code))
            for name in (plain, plain.split("-")[0]):
                if name in known:
                    self._served.setdefault(name, code)
                    break
        if self._served:
            identifier.set_languages(list(self._served))
        self._identifier = identifier

    @property
    def unknown(self) -> tuple[str, ...]:
        """The served languages that are never detected."""
        detected = set(self._served.values())
        return tuple(code for code in self.languages if code not in detected)

    def certainly(self, text: str) -> Detection | None:
        """Return the language of a text if there is no doubt about it."""
        found = self.detect(text[:ENOUGH])
        return found[0] if found and found[0].confidence >= CERTAIN else None

    def detect(self, text: str) -> list[Detection]:
        """Return the languages that a text may be in, likeliest first; none if it has no letters."""
        text = text[:LONGEST]
        if not self._served or not any(map(str.isalpha, text)):
            return []
        ranked = self._identifier.rank(text)
        found = [Detection(self._served[name], round(100.0 * float(share), 1)) for name, share in ranked]
        return [each for each in found if each.confidence > 0.0] or found[:1]
