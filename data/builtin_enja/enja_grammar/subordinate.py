"""Two clauses: reasons, contrasts, times, conditions, purposes."""

from __future__ import annotations

from dataclasses import replace

from .actions import ACTIONS
from .choice import Chooser
from .clauses import Clause
from .descriptions import Descriptions
from .english import EnglishVerb
from .inflection import Verb
from .modes import PLANNED, Finite
from .noun_phrases import NounPhrase
from .registers import Pair
from .sentence_maker import SentenceMaker
from .times_and_places import TIMES

__all__ = ["Subordinates"]

MAIN_PAST = ("past", "past", "then", "could", "decided", "had to", "began")
PURPOSES = {
    "read",
    "buy",
    "borrow",
    "eat",
    "drink",
    "study",
    "play",
    "see",
    "look at",
    "watch",
    "draw",
    "sell",
    "receive",
}
GO = EnglishVerb("go to", "went to", "gone to")
WEATHER = [
    ("raining", "雨が", Verb("降る", "godan")),
    ("snowing", "雪が", Verb("降る", "godan")),
]


class Subordinates(SentenceMaker):
    """Makes sentences with subordinate clauses."""

    def __init__(self, choose: Chooser) -> None:
        super().__init__(choose)
        self.descriptions = Descriptions(choose)

    def _weather(self, *, past: bool, subject: str = "it") -> Clause:
        english, japanese, verb = self.choose.of(WEATHER)
        return Clause(
            NounPhrase(subject, ""),
            Finite("was" if past else "is", english),
            "",
            verb.continuing(),
            past=past,
            arguments=japanese,
        )

    def reason(self) -> Pair:
        """Because: から; the English order varies."""
        past = self.choose.chance(0.65)
        kind = self.choose.of(("feeling", "feeling", "weather", "deed"))
        if kind == "weather":
            cause = self._weather(past=past)
        elif kind == "feeling":
            cause = self.descriptions.feeling(past=past)
            while cause.subject.english in {"he", "she", "they"}:
                cause = self.descriptions.feeling(past=past)
        else:
            cause = self.deeds.clause(
                self.first(), allowed=("past", "already") if past else ("future", "now"), time=0.2
            )
        main = self.deeds.clause(
            self.apart(cause.subject),
            allowed=MAIN_PAST if past else ("future", "can", "want", "have to"),
            time=0.1,
        )
        japanese = cause.japanese("plain", "が" if cause.subject.definite else "は") + "から、"
        if self.choose.chance(0.4):
            return self.registers.clause(main, (f"because {cause.statement}, ", japanese))
        return self.registers.clause(main, ("", japanese), f" because {cause.statement}")

    def contrast(self) -> Pair:
        """Although: のに."""
        kind = self.choose.of(("feeling", "weather", "deed"))
        if kind == "weather":
            cause = self._weather(past=True)
        elif kind == "feeling":
            cause = self.descriptions.feeling(past=True)
        else:
            cause = self.deeds.clause(self.first(), allowed=("past",), time=0.2)
        if cause.subject.english in {"he", "she", "they"}:
            return self.contrast()
        main = self.deeds.clause(self.apart(cause.subject), allowed=("past", "could"), negative=0.4, time=0.1)
        return self.registers.clause(
            main, (f"although {cause.statement}, ", cause.japanese("explained", "が") + "のに、")
        )

    def time(self) -> Pair:
        """When (とき), after (後で), before (前に), while (間に)."""
        first = self.first()
        word = self.choose.of(("when", "when", "after", "before", "while"))
        allowed = ("then",) if word == "while" else ("past",)
        inner = self.deeds.clause(first, allowed=allowed, negative=0, time=0)
        main = self.deeds.clause(
            self.apart(first),
            allowed=("past", "past", "then") if word == "when" else ("past",),
            time=0.0,
            negative=0.1,
        )
        body = inner.body("が")
        japanese = {
            "when": body + inner.predicate.plain(past=True) + "とき、",
            "after": body + inner.predicate.plain(past=True) + "後で、",
            "before": body + inner.predicate.plain() + "前に、",
            "while": body + inner.predicate.plain() + "間に、",
        }[word]
        if self.choose.chance(0.5):
            return self.registers.clause(main, (f"{word} {inner.statement}, ", japanese))
        return self.registers.clause(main, ("", japanese), f" {word} {inner.statement}")

    def own_time(self) -> Pair:
        """The same subject twice: before doing (前に), after doing (後で), while doing (ながら)."""
        subject = self.phrases.subject()
        main = self.deeds.clause(subject, allowed=("past", "past", "future", "present"), negative=0, time=0)
        deed = self.deeds.deed(subject, numbers=False)
        while "くれ" in deed.japanese.dictionary or deed.english.base in {"wear", "lose", "forget"}:
            deed = self.deeds.deed(subject, numbers=False)
        if subject.noun is not None and not subject.noun.human:
            return self.own_time()
        word = self.choose.of(("before", "after"))
        before = deed.scene + deed.arguments()
        japanese = before + (
            deed.japanese.dictionary + "前に" if word == "before" else deed.japanese.ta + "後で"
        )
        main = replace(main, time=japanese + "、")
        english = f" {word} {deed.english.ing} {deed.english_rest}".rstrip()
        return self.registers.clause(main, after=english)

    def condition(self) -> Pair:
        """If: たら, from the plain past."""
        subject = self.first()
        if self.choose.chance(0.3):
            rain = self.choose.of((("rains", "雨が降ったら、"), ("snows", "雪が降ったら、")))
            when = self.choose.of(TIMES["future"]) if self.choose.chance(0.7) else None
            english = f"if it {rain[0]}{' ' + when.english if when else ''}, "
            japanese = (when.japanese if when else "") + rain[1]
            main = self.deeds.clause(
                subject, allowed=("future", "can", "want", "have to"), time=0, negative=0.3
            )
            return self.registers.clause(main, (english, japanese))
        if self.choose.chance(0.4):
            feeling = self.descriptions.feeling(past=False)
            if feeling.subject.english in {"he", "she", "they"}:
                return self.condition()
            english = f"if {feeling.statement}, "
            japanese = (
                feeling.body("が") + feeling.predicate.plain(past=True, negative=feeling.negative) + "ら、"
            )
            main = self.deeds.clause(self.apart(feeling.subject), allowed=("future", "can", "should"), time=0)
            return self.registers.clause(main, (english, japanese))
        inner = self.deeds.said(subject, self.deeds.deed(subject), PLANNED["present"], time=0, negative=0.2)
        main = self.deeds.clause(
            self.apart(subject), allowed=("future", "can", "have to"), time=0, negative=0.2
        )
        japanese = inner.body("が") + inner.predicate.plain(past=True, negative=inner.negative) + "ら、"
        return self.registers.clause(main, (f"if {inner.statement}, ", japanese))

    def purpose(self) -> Pair:
        """Going somewhere to do something: stem + に."""
        subject = self.phrases.subject()
        action = self.choose.of(
            [entry for entry in ACTIONS if entry.places and entry.english.base in PURPOSES]
        )
        place = self.choose.of([entry for entry in action.places if entry.english != "the train"])
        deed = self.deeds.transitive(replace(action, places=()), subject, numbers=True)
        mode = PLANNED[self.choose.of(("past", "past", "future", "intend"))]
        trip = replace(
            deed,
            english=GO,
            japanese=Verb("行く", "godan"),
            english_rest=f"{place.english} to {action.english.base} {deed.english_rest}",
            scene=f"{place.japanese}へ",
            particle=f"を{deed.number}{action.japanese.masu_stem}に",
            number="",
        )
        return self.registers.clause(
            self.deeds.said(subject, trip, mode, negative=0.0 if deed.number else 0.1, time=0.5)
        )
