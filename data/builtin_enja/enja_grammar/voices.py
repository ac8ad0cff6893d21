"""Who does it to whom: passive, causative, favours and things received."""

from __future__ import annotations

from dataclasses import replace

from .actions import ACTIONS, PEOPLE_ACTIONS
from .clauses import Clause
from .deeds import Deed
from .english import BE, EnglishVerb
from .inflection import Verb
from .modes import PLANNED, Finite
from .nouns import NOUNS, nouns_of
from .registers import Pair
from .sentence_maker import SentenceMaker
from .times_and_places import TIMES

__all__ = ["Voices"]

PASSIVE = {
    "break",
    "write",
    "build",
    "make",
    "draw",
    "repair",
    "choose",
    "catch",
    "find",
    "paint",
    "open",
    "close",
    "carry",
}
CREATION = {"write", "build", "make", "draw"}
PASSIVE_PEOPLE = {"scold", "praise", "invite", "help"}
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
UNCAUSED = {"cry", "shout", "lose", "wear", "forget", "find", "break", "receive", "see", "take off"}


class Voices(SentenceMaker):
    """Makes sentences in which two people take part."""

    def passive(self) -> Pair:
        """Something or somebody undergoes what another does."""
        by_whom = self.phrases.subject(pronouns=False)
        past = PLANNED["past"]
        if self.choose.chance(0.35):
            action = self.choose.of(
                [entry for entry in PEOPLE_ACTIONS if entry.english.base in PASSIVE_PEOPLE]
            )
            subject, agent = self.phrases.somebody_else(by_whom), "に"
        else:
            action = self.choose.of([entry for entry in ACTIONS if entry.english.base in PASSIVE])
            noun = self.choose.of(action.objects)
            self.choose.combine(action.english.base, noun.english)
            subject = self.phrases.definite(noun)
            agent = (
                "によって"
                if action.english.base
                in CREATION | {"repair", "choose", "carry", "open", "close", "find", "paint"}
                else "に"
            )
        when = self.choose.of(TIMES["past"]) if self.choose.chance(0.4) else None
        clause = Clause(
            subject,
            Finite(BE[subject.person, True], action.english.participle),
            f"by {by_whom.as_object}",
            action.japanese.passive(),
            past=past.past,
            english_time=when.english if when else "",
            time=when.japanese if when else "",
            arguments=by_whom.japanese + agent,
        )
        return self.registers.asked(clause) if self.choose.chance(0.15) else self.registers.clause(clause)

    def causative(self) -> Pair:
        """Somebody makes or lets another do something."""
        subject = self.choose.of(
            (self.phrases.relative, self.phrases.name, lambda: self.phrases.definite(NOUNS["teacher"]))
        )()
        other = self.phrases.somebody_else(subject)
        action = self.choose.of(
            [entry for entry in ACTIONS if entry.particle == "を" and entry.english.base not in UNCAUSED]
        )
        deed = self.deeds.transitive(replace(action, instruments=()), other, numbers=True)
        verb, japanese = "made", action.japanese.causative()
        if other.gender == "I" and self.choose.chance(0.5):
            verb, japanese = "let", japanese.te_with(Verb("くれる", "ichidan"))
        base = "make" if verb == "made" else "let"
        when = self.choose.of(TIMES["past"]) if self.choose.chance(0.3) else None
        clause = Clause(
            subject,
            Finite(
                "did",
                f"{base} {other.as_object} {action.english.base}",
                f"{verb} {other.as_object} {action.english.base}",
            ),
            deed.english_rest,
            japanese,
            past=True,
            english_time=when.english if when else "",
            time=when.japanese if when else "",
            arguments=f"{other.japanese}に{deed.scene}{deed.arguments()}",
        )
        return self.registers.clause(clause)

    def favour(self) -> Pair:
        """Doing something for somebody: てくれる towards the speaker, else てあげる; and getting things: もらう."""
        subject = self.phrases.subject()
        other = self.phrases.somebody_else(subject)
        if self.choose.chance(0.4):
            noun = self.choose.of(
                nouns_of("book, flower, watch, tie, hat, present, cake, toy, ticket, letter, photo, map")
            )
            self.choose.combine("get", noun.english)
            thing = self.phrases.counted(noun) if self.choose.chance(0.4) else self.phrases.indefinite(noun)
            deed = Deed(
                EnglishVerb("get", "got", "got"), Verb("もらう", "godan"), f"{thing.english} from {other.as_object}",
                "", f"{other.japanese}から", thing.japanese, "を", thing.number,
            )  # fmt: skip
        else:
            action = self.choose.of([entry for entry in ACTIONS if entry.english.base in FAVOURS])
            deed = self.deeds.transitive(replace(action, instruments=(), places=()), other, numbers=True)
            inward = (
                other.gender in {"I", "we"}
                or other.english.startswith("my ")
                and subject.gender not in {"I", "we"}
            )
            giving = Verb("くれる" if inward else "あげる", "ichidan")
            deed = replace(
                deed, japanese=action.japanese.te_with(giving), english_rest=f"{deed.english_rest} for {other.as_object}",
                before_object=f"{other.japanese}のために",
            )  # fmt: skip
        mode = PLANNED[self.choose.of(("past", "past", "future"))]
        return self.registers.clause(self.deeds.said(subject, deed, mode, negative=0, time=0.5))
