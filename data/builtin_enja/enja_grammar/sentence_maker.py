"""What all makers of sentences share: choices, noun phrases, deeds and registers, and subjects that cannot be mixed up."""

from __future__ import annotations

from .choice import Chooser
from .deeds import Deeds
from .noun_phrases import NounPhrase, NounPhrases
from .registers import Registers

__all__ = ["SentenceMaker"]


class SentenceMaker:
    """Base of the makers of sentences."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose
        self.phrases = NounPhrases(choose)
        self.deeds = Deeds(choose, self.phrases)
        self.registers = Registers(choose)

    def apart(self, other: NounPhrase) -> NounPhrase:
        """A subject that no pronoun confuses with `other`."""
        while True:
            subject = self.phrases.somebody_else(other)
            if subject.english not in {"he", "she", "they"}:
                return subject

    def first(self) -> NounPhrase:
        """A subject of its own that no later pronoun confuses."""
        return self.apart(NounPhrase("nobody", "誰も"))
