"""Somebody does something: statements, questions of all kinds, requests."""

from __future__ import annotations

from dataclasses import replace

from .actions import ACTIONS, INTRANSITIVES, PEOPLE_ACTIONS
from .deeds import Deed
from .english import Person
from .modes import PLANNED
from .noun_phrases import NounPhrase
from .nouns import GROUPS
from .registers import Pair
from .sentence_maker import SentenceMaker

__all__ = ["Statements"]

AMBIGUOUS = {"break", "play", "take", "put on", "take off", "look at", "watch", "see", "wear", "forget"}
FAVOURS = {
    "read",
    "buy",
    "make",
    "wash",
    "carry",
    "look for",
    "repair",
    "open",
    "close",
    "cut",
    "draw",
    "choose",
    "sing",
    "find",
}
UNASKED = {
    "cry",
    "shout",
    "lose",
    "wear",
    "forget",
    "find",
    "break",
    "fall down",
    "receive",
    "see",
    "marry",
    "arrive at",
}


class Statements(SentenceMaker):
    """Makes statements, questions and requests."""

    def statement(self) -> Pair:
        """Somebody does something."""
        return self.registers.clause(self.deeds.clause())

    def newcomer(self) -> Pair:
        """A subject that is new to the listener: two students came; a dog is sleeping."""
        noun = self.choose.of(GROUPS[self.choose.of(("people", "people", "animals"))])
        subject = self.phrases.counted(noun) if self.choose.chance(0.6) else self.phrases.indefinite(noun)
        deed = (
            self.deeds.deed(subject, numbers=False)
            if not noun.human
            else self.deeds.intransitive(self.choose.of(INTRANSITIVES))
        )
        mode = PLANNED[self.choose.of(("past", "now", "then"))]
        if deed.japanese.dictionary == "転ぶ":
            mode = PLANNED["past"]
        return self.registers.clause(self.deeds.said(subject, deed, mode, negative=0))

    def question(self) -> Pair:
        """Did somebody do something?"""
        if self.choose.chance(0.12):
            you = NounPhrase("you", "あなた", Person.PLURAL, gender="you")
            return self.registers.asked(
                self.deeds.said(you, self.deeds.deed(you, numbers=False), PLANNED["want"], negative=0)
            )
        return self.registers.asked(self.deeds.clause(self._asked_about(), negative=0))

    def _asked_about(self) -> NounPhrase:
        """Anybody but the one who asks."""
        while True:
            subject = self.phrases.subject(people_only=False)
            if subject.gender not in {"I", "we"}:
                return subject

    def asked_for(self) -> Pair:
        """Who, what, where, when, why, how many, whom, how."""
        allowed = ("past", "future", "past", "now")
        kind = self.choose.of(("who", "what", "where", "when", "why", "how many", "whom", "how"))
        if kind == "who":
            who = NounPhrase("who", "誰", definite=False)
            clause = self.deeds.clause(who, allowed=("past", "past", "future"), negative=0)
            return self.registers.question(
                clause.statement, clause.japanese("explained"), clause.japanese("polite")
            )
        subject = self._asked_about()
        while subject.noun is not None and not subject.noun.human:
            subject = self._asked_about()
        mode = PLANNED[self.choose.of(("past", "past", "future"))]
        if kind == "whom":
            action = self.choose.of(PEOPLE_ACTIONS)
            deed = Deed(action.english, action.japanese, "", object_ja="誰", particle=action.particle)
            return self.registers.asked(self.deeds.said(subject, deed, mode, negative=0, time=0.6), "who")
        if kind == "how":
            deed = replace(self.deeds.trip(subject), before_object="どうやって")
            place = deed.english_rest.split(" by ")[0].split(" on ")[0].split(" with ")[0]
            return self.registers.asked(
                self.deeds.said(subject, replace(deed, english_rest=place), mode, negative=0), "how"
            )
        action = self.choose.of(
            [entry for entry in ACTIONS if entry.english.base not in {"wear", "ride", "touch"}]
        )
        if kind in {"what", "how many"}:
            noun = self.choose.of(action.objects)
            word, what, number = "what", "何", ""
            if kind == "how many" and noun.plural:
                self.choose.combine(action.english.base, noun.english)
                word, what, number = f"how many {noun.plural}", noun.japanese, "何" + noun.counter
            elif len(action.objects) < 5 or kind == "how many" or action.english.base in AMBIGUOUS:
                action = ACTIONS[self.choose.of((0, 2, 9))]
            deed = Deed(action.english, action.japanese, "", object_ja=what, particle="を", number=number)
            if action.places and self.choose.chance(0.3):
                place = self.choose.of(action.places)
                deed = replace(deed, english_rest=place.inside, scene=f"{place.japanese}で")
            return self.registers.asked(self.deeds.said(subject, deed, mode, negative=0, time=0.4), word)
        if kind == "where":
            deed = self.deeds.transitive(replace(action, places=()), subject, numbers=False)
            return self.registers.asked(
                self.deeds.said(subject, replace(deed, scene="どこで"), mode, negative=0, time=0.3), "where"
            )
        if kind == "when":
            clause = self.deeds.said(
                subject, self.deeds.deed(subject, numbers=False), mode, negative=0, time=0
            )
            return self.registers.asked(replace(clause, time="いつ"), "when")
        clause = self.deeds.clause(subject, allowed=allowed, negative=0.3, time=0.4)
        return self.registers.asked(replace(clause, time="どうして" + clause.time), "why")

    def request(self) -> Pair:
        """Please do; do not; could you; may I; let us; shall I."""
        you = NounPhrase("you", "", Person.PLURAL, gender="you")
        deed = self.deeds.deed(you)
        while "くれる" in deed.japanese.dictionary or deed.english.base in UNASKED:
            deed = self.deeds.deed(you)
        english = f"{deed.english.base} {deed.english_rest}".strip()
        before = deed.scene + deed.arguments()
        te, nai = before + deed.japanese.te, before + deed.japanese.nai_stem + "ない"
        we = before + deed.japanese.volitional, before + deed.japanese.masu_stem
        forms = [
            (4.0, (f"Please {english}.", te + "ください。")),
            (1.5, (f"{english[0].upper()}{english[1:]}.", te + "。")),
            (1.5, (f"Please don't {english}.", nai + "でください。")),
            (1.0, (f"Don't {english}.", nai + "で。")),
            (1.5, (f"Could you {english}, please?", te + "いただけますか。")),
            (1.0 if deed.english.base in FAVOURS else 0, (f"Can you {english} for me?", te + "くれる？")),
            (1.5, (f"May I {english}, please?", te + "もいいですか。")),
            (1.0, (f"May I {english}?", te + "もいい？")),
            (1.0, (f"Let's {english}.", we[0] + "。")),
            (1.0, (f"Shall we {english}?", we[1] + "ましょうか。")),
            (0.7, (f"Why don't we {english}?", we[1] + "ませんか。")),
            (0.7, (f"You must not {english}.", te + "はいけない。")),
            (0.7, (f"You don't have to {english}.", before + deed.japanese.nai_stem + "なくてもいい。")),
        ]
        return self.choose.weighted(forms)
