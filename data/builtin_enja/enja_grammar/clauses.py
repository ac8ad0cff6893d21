"""The clause: one subject and one predicate, spelled out as English statement or question and as Japanese of any style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .english import negate
from .inflection import Predicate
from .modes import Finite
from .noun_phrases import NounPhrase

__all__ = ["Clause", "Form"]

Form = Literal["plain", "polite", "before noun", "before guess", "explained"]


@dataclass(frozen=True)
class Clause:
    """A clause; in Japanese: subject, `time`, `scene`, `arguments`, predicate.

    Inside another clause, where the subject takes が, `arguments_inside` replace the arguments if there are any: a
    potential verb has a が of its own (本が読める) and two would confuse.
    """

    subject: NounPhrase
    finite: Finite
    rest: str
    predicate: Predicate
    past: bool = False
    negative: bool = False
    english_time: str = ""
    time: str = ""
    scene: str = ""
    arguments: str = ""
    arguments_inside: str = ""

    @property
    def statement(self) -> str:
        """The English statement, without capital and full stop."""
        if self.negative and self.finite.auxiliary == "am":
            verb = f"am not {self.finite.rest}"
        elif self.negative:
            verb = f"{negate(self.finite.auxiliary)} {self.finite.rest}".strip()
        else:
            verb = self.finite.affirmed
        return _words(self.subject.english, verb, self.rest, self.english_time)

    @property
    def question(self) -> str:
        """The English yes/no question, without capital and question mark."""
        auxiliary = self.finite.auxiliary
        if self.negative:
            auxiliary = negate(auxiliary) if auxiliary != "am" else "am"
        return _words(auxiliary, self.subject.english, self.finite.rest, self.rest, self.english_time)

    def ending(self, form: Form) -> str:
        """The Japanese predicate. "explained" stands before の, ので and のに, where だ becomes な."""
        if form == "plain":
            return self.predicate.plain(past=self.past, negative=self.negative)
        if form == "polite":
            return self.predicate.polite(past=self.past, negative=self.negative)
        if form == "before noun":
            return self.predicate.before_noun(past=self.past, negative=self.negative)
        guess = self.predicate.before_guess(past=self.past, negative=self.negative)
        if form == "before guess":
            return guess
        drops_da = guess != self.predicate.plain(past=self.past, negative=self.negative)
        return guess + "な" if drops_da else guess

    def japanese(self, form: Form = "plain", particle: str = "は") -> str:
        """The Japanese clause; the subject is the topic (は) unless it is new or the clause is inside another (が)."""
        return self.body(particle) + self.ending(form)

    def body(self, particle: str = "は") -> str:
        """All before the predicate."""
        if not self.subject.japanese:
            return self.time + self.scene + self.arguments
        if not self.subject.definite:
            return self.time + self.scene + self.subject.marked("が") + self.arguments
        arguments = (self.arguments_inside or self.arguments) if particle == "が" else self.arguments
        return self.subject.marked(particle) + self.time + self.scene + arguments


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)
