"""English inflection: verb forms, agreement, contractions, numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["BE", "HAVE", "EnglishVerb", "Person", "negate", "sentence_case"]

DOUBLED = {"cut", "swim", "run", "put", "forget", "sit"}
CONTRACTIONS = {
    "will": "won't",
    "can": "can't",
    "could": "couldn't",
    "do": "don't",
    "does": "doesn't",
    "did": "didn't",
    "is": "isn't",
    "are": "aren't",
    "was": "wasn't",
    "were": "weren't",
    "has": "hasn't",
    "have": "haven't",
    "should": "shouldn't",
    "must": "mustn't",
    "am": "am not",
}


class Person(Enum):
    """What a verb agrees with."""

    I = "I"  # noqa: E741
    SINGULAR = "he"
    PLURAL = "they"


@dataclass(frozen=True)
class EnglishVerb:
    """A verb, perhaps with a particle behind it (`listen to`), which stays where it is."""

    base: str
    past: str
    participle: str

    def _with_ending(self, ending: str) -> str:
        head, space, tail = self.base.partition(" ")
        return head + ending + space + tail

    @property
    def third(self) -> str:
        """He reads, goes, carries."""
        head = self.base.partition(" ")[0]
        if head in {"be", "have"}:
            return {"be": "is", "have": "has"}[head]
        if head.endswith("y") and head[-2] not in "aeiou":
            return head[:-1] + "ies" + self.base[len(head) :]
        return self._with_ending("es" if head.endswith(("s", "sh", "ch", "x", "o")) else "s")

    @property
    def ing(self) -> str:
        """Reading, writing, running."""
        head = self.base.partition(" ")[0]
        if head in DOUBLED:
            return self._with_ending(head[-1] + "ing")
        if head.endswith("e") and not head.endswith("ee") and head != "be":
            return head[:-1] + "ing" + self.base[len(head) :]
        return self._with_ending("ing")

    def simple(self, person: Person, *, past: bool) -> str:
        """The finite form without an auxiliary."""
        if past:
            return self.past
        return self.third if person is Person.SINGULAR else self.base


HAVE = EnglishVerb("have", "had", "had")
BE = {
    (Person.I, False): "am",
    (Person.SINGULAR, False): "is",
    (Person.PLURAL, False): "are",
    (Person.I, True): "was",
    (Person.SINGULAR, True): "was",
    (Person.PLURAL, True): "were",
}


def negate(auxiliary: str) -> str:
    """The auxiliary with n't."""
    return CONTRACTIONS[auxiliary]


def sentence_case(text: str) -> str:
    """With a capital first letter."""
    return text[0].upper() + text[1:]
