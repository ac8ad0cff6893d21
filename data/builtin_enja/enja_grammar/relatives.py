"""Relative clauses, which stand before their noun in Japanese, and clefts."""

from __future__ import annotations

from dataclasses import replace

from .actions import ACTIONS, PEOPLE_ACTIONS
from .adjectives import QUALITIES
from .choice import Chooser
from .clauses import Clause
from .descriptions import Descriptions
from .inflection import Predicate
from .modes import Finite
from .noun_phrases import NounPhrase
from .nouns import GROUPS, Noun
from .registers import Pair
from .sentence_maker import SentenceMaker
from .times_and_places import TIMES

__all__ = ["Relatives"]


class Relatives(SentenceMaker):
    """Makes sentences with relative clauses."""

    def __init__(self, choose: Chooser) -> None:
        super().__init__(choose)
        self.descriptions = Descriptions(choose)

    def object_relative(self) -> tuple[NounPhrase, Noun]:
        """The book that Tom bought yesterday: トムが昨日買った本."""
        action = self.choose.of(
            [entry for entry in ACTIONS if entry.english.base not in {"wear", "put on", "take off"}]
        )
        noun = self.choose.of(
            [entry for entry in action.objects if entry.plural] or [GROUPS["reading matter"][0]]
        )
        if noun not in action.objects:
            action = ACTIONS[0]
        self.choose.combine(action.english.base, noun.english)
        subject = self.first()
        when = self.choose.of(TIMES["past"]) if self.choose.chance(0.5) else None
        place = (
            self.choose.of(action.places) if action.places and not when and self.choose.chance(0.5) else None
        )
        english, japanese = self.phrases.adjective(noun, 0.2)
        clause = f"{subject.japanese}が{when.japanese if when else ''}{place.japanese + 'で' if place else ''}{action.japanese.ta}"
        tail = f" {when.english}" if when else f" {place.inside}" if place else ""
        head = NounPhrase(
            f"the {english}{noun.english} that {subject.english} {action.english.past}{tail}",
            clause + japanese + noun.japanese,
            noun=noun,
        )
        return head, noun

    def subject_relative(self) -> NounPhrase:
        """The man who broke the window: 窓を割った男の人."""
        noun = self.choose.of(GROUPS["people"])
        english, japanese = self.phrases.adjective(noun, 0.2)
        stand_in = NounPhrase("who", "", definite=True, gender="who", noun=noun)
        clause = self.deeds.clause(stand_in, allowed=("past", "past", "now", "future"), negative=0, time=0.35)
        return NounPhrase(
            f"the {english}{noun.english} {clause.statement}",
            clause.japanese("before noun") + japanese + noun.japanese,
            noun=noun,
        )

    def relative(self) -> Pair:
        """A relative clause at the subject or the object."""
        kind = self.choose.of(
            ("quality", "thing object", "person subject", "person subject", "person object")
        )
        if kind == "person subject":
            head = self.subject_relative()
            if self.choose.chance(0.4):
                fitting = [entry for entry in QUALITIES if head.noun in entry.nouns]
                quality = self.choose.of(fitting)
                return self._said(
                    self.descriptions.being(
                        head, quality.english, quality.predicate, past=False, negative=False
                    )
                )
            return self._said(
                self.deeds.clause(head, allowed=("past", "past", "now", "future"), negative=0.1, time=0)
            )
        if kind == "person object":
            subject = self.phrases.subject()
            action = self.choose.of(PEOPLE_ACTIONS[:8])
            head = self.subject_relative()
            return self._said(
                self._act(
                    subject, action.english.past, action.english.base, head, action.particle, action.japanese
                )
            )
        head, noun = self.object_relative()
        fitting = [entry for entry in QUALITIES if noun in entry.nouns]
        if kind == "quality" and fitting:
            quality = self.choose.of(fitting)
            self.choose.combine(quality.english, noun.english)
            clause = self.descriptions.being(
                head,
                quality.english,
                quality.predicate,
                past=self.choose.chance(0.5),
                negative=self.choose.chance(0.2),
            )
            return self._said(clause)
        users = [
            entry
            for entry in ACTIONS
            if noun in entry.objects
            and entry.english.base not in {"wear", "paint"}
            and f" {entry.english.past}" not in head.english
        ]
        if not users:
            return self.relative()
        action = self.choose.of(users)
        self.choose.combine(action.english.base, noun.english)
        subject = self.first()
        return self._said(
            self._act(
                subject, action.english.past, action.english.base, head, action.particle, action.japanese
            )
        )

    def _act(
        self, subject: NounPhrase, past: str, base: str, head: NounPhrase, particle: str, verb: Predicate
    ) -> Clause:
        return Clause(
            subject,
            Finite("did", base, past),
            head.english,
            verb,
            past=True,
            negative=self.choose.chance(0.15),
            arguments=head.japanese + particle,
        )

    def _said(self, clause: Clause) -> Pair:
        return (
            self.registers.asked(replace(clause, negative=False))
            if self.choose.chance(0.15)
            else self.registers.clause(clause)
        )

    def cleft(self) -> Pair:
        """It was Tom who broke the window: 窓を割ったのはトムだ."""
        name = self.choose.of((self.phrases.name, self.phrases.relative))()
        hidden = NounPhrase("who", "", gender=name.gender)
        clause = self.deeds.clause(hidden, allowed=("past",), negative=0)
        body = clause.body() + clause.ending("before noun") + "のは" + name.japanese
        return self.registers.statement(
            f"it was {name.english} {clause.statement}", body + "だ", body + "です"
        )
