"""What there is and how it is: existence, qualities, feelings, trades, comparison, possession."""

from __future__ import annotations

from dataclasses import replace

from .adjectives import FEELINGS, QUALITIES
from .clauses import Clause
from .english import BE, HAVE, Person
from .inflection import Copula, Predicate, Prefixed, Verb
from .modes import Finite
from .noun_phrases import NounPhrase
from .nouns import GROUPS, Noun, nouns_of
from .registers import Pair
from .sentence_maker import SentenceMaker
from .times_and_places import PLACES, POSITIONS, TIMES

__all__ = ["Descriptions"]

FURNITURE = nouns_of("table, desk, chair, bed, box, bag")
SMALL_THINGS = nouns_of(
    "reading matter, ticket, photo, map, towel, pencil, pen, umbrella, knife, camera, hat, watch, wallet, ball, cup, apple, "
    "orange, egg, cake, key"
)
NEAR_THINGS = nouns_of("tree, house, door, car, bus")


class Descriptions(SentenceMaker):
    """Makes sentences of being and having."""

    def _spot(self) -> tuple[Noun, str, str, str]:
        """Something small or living, and where it is: noun, English place, Japanese place without に."""
        kind = self.choose.of(("thing", "animal", "person", "place"))
        if kind == "place":
            noun = self.choose.of(
                GROUPS[self.choose.of(("people", "small animals", "machines", "furniture"))]
            )
            place = PLACES[
                self.choose.of(
                    ("park", "garden", "school", "station", "office", "hotel", "library", "museum")
                )
            ]
            return noun, place.inside, place.japanese
        noun = self.choose.of(
            {"thing": SMALL_THINGS, "animal": GROUPS["small animals"], "person": GROUPS["people"]}[kind]
        )
        base = self.choose.of(NEAR_THINGS if kind == "person" else FURNITURE)
        positions = ("in front of", "behind", "near", "next to")
        if kind != "person":
            positions = (
                ("under", "next to", "behind") if base.english == "bag" else ("on", "under", "next to")
            )
            positions = ("in", "on") if base.english == "box" else positions
        preposition = self.choose.of(positions)
        spot = self.phrases.definite(base, adjective=0.25, plural=0)
        return noun, f"{preposition} {spot.english}", spot.japanese + POSITIONS[preposition]

    def existence(self) -> Pair:
        """There are three cats under the table; the cat is under the table; how many are there."""
        noun, place, japanese = self._spot()
        verb: Verb = Verb("いる", "ichidan") if noun.animate else Verb("ある", "godan")
        past = self.choose.chance(0.3)
        kind = self.choose.weighted([(5, "there"), (3, "where"), (1.2, "how many"), (1.2, "any"), (1, "no")])
        if kind == "where":
            subject = self.phrases.definite(noun, plural=0)
            clause = Clause(
                subject, Finite(BE[Person.SINGULAR, past], ""), place, verb, past=past, scene=japanese + "に"
            )
            if self.choose.chance(0.25):
                ask = replace(clause, rest="", scene="どこに")
                return self.registers.asked(ask, "where")
            return self.registers.clause(clause)
        there = NounPhrase("there", "", Person.SINGULAR)
        if kind == "there":
            thing = self.phrases.counted(noun) if self.choose.chance(0.6) else self.phrases.indefinite(noun)
            clause = Clause(
                there,
                Finite(BE[thing.person, past], ""),
                f"{thing.english} {place}",
                verb,
                past=past,
                arguments=f"{japanese}に{thing.marked('が')}",
            )
            return self.registers.asked(clause) if self.choose.chance(0.15) else self.registers.clause(clause)
        plural = Finite(BE[Person.PLURAL, past], "")
        if kind == "how many":
            clause = Clause(
                there,
                plural,
                place,
                verb,
                past=past,
                arguments=f"{japanese}に{noun.japanese}が何{noun.counter}",
            )
            return self.registers.asked(clause, f"how many {noun.plural}")
        rest = f"any {noun.plural} {place}"
        clause = Clause(
            there, plural, rest, verb, past=past, negative=True, arguments=f"{japanese}に{noun.japanese}は"
        )
        return self.registers.clause(clause)

    def quality(self) -> Clause:
        """Something has a quality."""
        quality = self.choose.of(QUALITIES)
        noun = self.choose.of(quality.nouns)
        self.choose.combine(quality.english, noun.english)
        subject = self.phrases.definite(noun, adjective=0, plural=0.2)
        if noun.group == "people" and self.choose.chance(0.5):
            subject = self.phrases.subject(pronouns=True)
        if noun.group == "people" and quality.english in {"quiet", "strange", "cute"}:
            subject = self.phrases.definite(noun, adjective=0, plural=0)
        past = self.choose.chance(0.3)
        return self.being(
            subject, quality.english, quality.predicate, past=past, negative=self.choose.chance(0.2)
        )

    def being(
        self, subject: NounPhrase, english: str, predicate: Predicate, *, past: bool, negative: bool
    ) -> Clause:
        """Subject, a form of be, and what is said of it."""
        return Clause(
            subject, Finite(BE[subject.person, past], english), "", predicate, past=past, negative=negative
        )

    def feeling(self, *, pronouns: bool = True, past: bool | None = None) -> Clause:
        """Somebody is tired, busy, hungry."""
        english, predicate = self.choose.of(FEELINGS)
        happened = self.choose.chance(0.5) if past is None else past
        subject = self.phrases.subject(pronouns=pronouns)
        clause = self.being(subject, english, predicate, past=happened, negative=self.choose.chance(0.15))
        if happened and self.choose.chance(0.4):
            when = self.choose.of(TIMES["past"][:6])
            clause = replace(clause, english_time=when.english, time=when.japanese)
        return clause

    def described(self) -> Pair:
        """A quality, a feeling or a trade, stated or asked."""
        kind = self.choose.of(("quality", "quality", "feeling", "trade"))
        if kind == "trade":
            subject = self.choose.of((self.phrases.name, self.phrases.relative, self.phrases.pronoun))()
            noun = self.choose.of(GROUPS["people"][:2] + GROUPS["people"][2:4] + GROUPS["people"][9:])
            if subject.gender in {"we", "they"} or noun.english in {"friend", "tourist"}:
                return self.described()
            trade = self.phrases.indefinite(noun, adjective=0.3)
            past = self.choose.chance(0.3)
            clause = self.being(
                subject,
                trade.english,
                Copula(trade.japanese, "の"),
                past=past,
                negative=self.choose.chance(0.2),
            )
        else:
            clause = self.quality() if kind == "quality" else self.feeling()
        if clause.subject.gender not in {"I", "we"} and self.choose.chance(0.25):
            return self.registers.asked(replace(clause, negative=False))
        return self.registers.clause(clause)

    def comparison(self) -> Pair:
        """Taller than, not as tall as, the tallest in the class, which is taller."""
        quality = self.choose.of(QUALITIES)
        noun = self.choose.of(quality.nouns)
        self.choose.combine(quality.english, noun.english)
        first: NounPhrase = self.phrases.definite(noun, adjective=0, plural=0)
        second: NounPhrase = self.phrases.definite(self.choose.of(quality.nouns), adjective=0, plural=0)
        if noun.group == "people":
            first = self.phrases.subject()
            second = self.phrases.somebody_else(first)
        elif first.japanese in second.japanese or second.japanese in first.japanese:
            owner, other = self.phrases.name(), self.phrases.name()
            if owner == other:
                return self.comparison()
            first = NounPhrase(f"{owner.english}'s {noun.english}", f"{owner.japanese}の{noun.japanese}")
            second = NounPhrase(f"{other.english}'s {noun.english}", f"{other.japanese}の{noun.japanese}")
        if self.choose.chance(0.25) and noun.group != "people":
            plain = Prefixed(f"{second.japanese}ほど", quality.predicate, always_negative=True)
            clause = self.being(
                first, f"as {quality.english} as {second.as_object}", plain, past=False, negative=False
            )
            english = clause.statement.replace(" is as ", " is not as ").replace(" are as ", " are not as ")
            return self.registers.statement(english, clause.japanese("plain"), clause.japanese("polite"))
        much, by_far = self.choose.of((("", ""), ("", ""), ("much ", "ずっと")))
        predicate = Prefixed(f"{second.japanese}より{by_far}", quality.predicate)
        clause = self.being(
            first,
            f"{much}{quality.comparative} than {second.as_object}",
            predicate,
            past=self.choose.chance(0.15),
            negative=False,
        )
        return self.registers.asked(clause) if self.choose.chance(0.2) else self.registers.clause(clause)

    def possession(self) -> Pair:
        """Somebody has two dogs: an animate possession is いる, others are 持っている."""
        subject = self.phrases.subject()
        noun = self.choose.of(
            nouns_of(
                "machines, instruments, clothes, reading matter, umbrella, watch, dog, cat, house, bag, camera, horse"
            )
        )
        self.choose.combine("have", noun.english)
        thing = self.phrases.counted(noun) if self.choose.chance(0.5) else self.phrases.indefinite(noun)
        past = self.choose.chance(0.2)
        japanese = Verb("飼う" if noun.animate else "持つ", "godan").continuing()
        auxiliary = "did" if past else "does" if subject.person is Person.SINGULAR else "do"
        finite = Finite(auxiliary, "have", HAVE.simple(subject.person, past=past))
        clause = Clause(subject, finite, thing.english, japanese, past=past, arguments=thing.marked("を"))
        return self.registers.asked(clause) if self.choose.chance(0.25) else self.registers.clause(clause)
