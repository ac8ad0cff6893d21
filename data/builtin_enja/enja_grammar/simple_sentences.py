"""Sentences of one clause: statements, questions, requests, existence, qualities, comparison, passive, causative."""

from __future__ import annotations

from dataclasses import replace

from .actions import ACTIONS, INTRANSITIVES, PEOPLE_ACTIONS
from .adjectives import FEELINGS, QUALITIES
from .choice import Chooser
from .clauses import Clause
from .deeds import Deed, Deeds
from .english import BE, HAVE, EnglishVerb, Person
from .inflection import Copula, Predicate, Prefixed, Verb
from .modes import PLANNED, Finite
from .noun_phrases import NounPhrase, NounPhrases
from .nouns import GROUPS, NOUNS, Noun, nouns_of
from .registers import Pair, Registers
from .times_and_places import PLACES, POSITIONS, TIMES

__all__ = ["SimpleSentences"]

FURNITURE = nouns_of("table, desk, chair, bed, box, bag")
SMALL_THINGS = nouns_of(
    "reading matter, ticket, photo, map, towel, pencil, pen, umbrella, knife, camera, hat, watch, wallet, ball, cup, apple, "
    "orange, egg, cake, key"
)
NEAR_THINGS = nouns_of("tree, house, door, car, bus")
PASSIVE = {"break", "write", "build", "make", "draw", "repair", "choose", "catch", "find", "paint", "open", "close", "carry"}
CREATION = {"write", "build", "make", "draw"}
AMBIGUOUS = {"break", "play", "take", "put on", "take off", "look at", "watch", "see", "wear", "forget"}
UNASKED = {"lose", "wear", "forget", "find", "break", "fall down", "receive", "see", "marry", "arrive at"}
FAVOURS = {"read", "buy", "make", "wash", "carry", "look for", "repair", "open", "close", "cut", "draw", "choose", "sing", "find"}
PASSIVE_PEOPLE = {"scold", "praise", "invite", "help"}


class SimpleSentences:
    """Makes clauses and sentences of one clause."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose
        self.phrases = NounPhrases(choose)
        self.deeds = Deeds(choose, self.phrases)
        self.registers = Registers(choose)

    def statement(self) -> Pair:
        """Somebody does something."""
        return self.registers.clause(self.deeds.clause())

    def newcomer(self) -> Pair:
        """A subject that is new to the listener: two students came; a dog is sleeping."""
        noun = self.choose.of(GROUPS[self.choose.of(("people", "people", "animals"))])
        subject = self.phrases.counted(noun) if self.choose.chance(0.6) else self.phrases.indefinite(noun)
        deed = self.deeds.deed(subject, numbers=False) if not noun.human else self.deeds.intransitive(self.choose.of(INTRANSITIVES))
        mode = PLANNED[self.choose.of(("past", "now", "then"))]
        if deed.japanese.dictionary == "転ぶ":
            mode = PLANNED["past"]
        return self.registers.clause(self.deeds.said(subject, deed, mode, negative=0))

    def question(self) -> Pair:
        """Did somebody do something?"""
        return self.registers.asked(self.deeds.clause(negative=0))

    def asked_for(self) -> Pair:
        """Who, what, where, when, why, how many, whom, how."""
        allowed = ("past", "future", "past", "now")
        kind = self.choose.of(("who", "what", "where", "when", "why", "how many", "whom", "how"))
        if kind == "who":
            who = NounPhrase("who", "誰", definite=False)
            clause = self.deeds.clause(who, allowed=("past", "past", "future"), negative=0)
            return self.registers.question(clause.statement, clause.japanese("explained"), clause.japanese("polite"))
        subject = self.phrases.subject()
        mode = PLANNED[self.choose.of(("past", "past", "future"))]
        if kind == "whom":
            action = self.choose.of(PEOPLE_ACTIONS)
            deed = Deed(action.english, action.japanese, "", object_ja="誰", particle=action.particle)
            return self.registers.asked(self.deeds.said(subject, deed, mode, negative=0, time=0.6), "who")
        if kind == "how":
            deed = replace(self.deeds.trip(subject), before_object="どうやって")
            place = deed.english_rest.split(" by ")[0].split(" on ")[0].split(" with ")[0]
            return self.registers.asked(self.deeds.said(subject, replace(deed, english_rest=place), mode, negative=0), "how")
        action = self.choose.of([entry for entry in ACTIONS if entry.english.base not in {"wear", "ride", "touch"}])
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
            clause = self.deeds.said(subject, self.deeds.deed(subject, numbers=False), mode, negative=0, time=0)
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
            (1.0, (f"Can you {english} for me?", te + "くれる？")),
            (1.5, (f"May I {english}, please?", te + "もいいですか。")),
            (1.0, (f"May I {english}?", te + "もいい？")),
            (1.0, (f"Let's {english}.", we[0] + "。")),
            (1.0, (f"Shall we {english}?", we[1] + "ましょうか。")),
            (0.7, (f"Why don't we {english}?", we[1] + "ませんか。")),
            (0.7, (f"You must not {english}.", te + "はいけない。")),
            (0.7, (f"You don't have to {english}.", before + deed.japanese.nai_stem + "なくてもいい。")),
        ]
        return self.choose.weighted(forms)

    def _spot(self) -> tuple[Noun, str, str, str]:
        """Something small or living, and where it is: noun, English place, Japanese place without に."""
        kind = self.choose.of(("thing", "animal", "person", "place"))
        if kind == "place":
            noun = self.choose.of(GROUPS[self.choose.of(("people", "small animals", "machines", "furniture"))])
            place = PLACES[self.choose.of(("park", "garden", "school", "station", "office", "hotel", "library", "museum"))]
            return noun, place.inside, place.japanese
        noun = self.choose.of(
            {"thing": SMALL_THINGS, "animal": GROUPS["small animals"], "person": GROUPS["people"]}[kind]
        )
        base = self.choose.of(NEAR_THINGS if kind == "person" else FURNITURE)
        positions = ("in front of", "behind", "near", "next to")
        if kind != "person":
            positions = ("under", "next to", "behind") if base.english in {"bag"} else ("on", "under", "next to")
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
                there, plural, place, verb, past=past, arguments=f"{japanese}に{noun.japanese}が何{noun.counter}"
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
        return self.being(subject, quality.english, quality.predicate, past=past, negative=self.choose.chance(0.2))

    def being(self, subject: NounPhrase, english: str, predicate: Predicate, *, past: bool, negative: bool) -> Clause:
        """Subject, a form of be, and what is said of it."""
        return Clause(subject, Finite(BE[subject.person, past], english), "", predicate, past=past, negative=negative)

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
            clause = self.being(subject, trade.english, Copula(trade.japanese, "の"), past=past, negative=self.choose.chance(0.2))
        else:
            clause = self.quality() if kind == "quality" else self.feeling()
        if self.choose.chance(0.25):
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
        if self.choose.chance(0.25) and not noun.group == "people":
            plain = Prefixed(f"{second.japanese}ほど", quality.predicate, always_negative=True)
            clause = self.being(first, f"as {quality.english} as {second.as_object}", plain, past=False, negative=False)
            english = clause.statement.replace(" is as ", " is not as ").replace(" are as ", " are not as ")
            return self.registers.statement(english, clause.japanese("plain"), clause.japanese("polite"))
        much, by_far = self.choose.of((("", ""), ("", ""), ("much ", "ずっと")))
        predicate = Prefixed(f"{second.japanese}より{by_far}", quality.predicate)
        clause = self.being(
            first, f"{much}{quality.comparative} than {second.as_object}", predicate, past=self.choose.chance(0.15), negative=False
        )
        return self.registers.asked(clause) if self.choose.chance(0.2) else self.registers.clause(clause)

    def passive(self) -> Pair:
        """Something or somebody undergoes what another does."""
        by_whom = self.phrases.subject(pronouns=False)
        past = PLANNED["past"]
        if self.choose.chance(0.35):
            action = self.choose.of([entry for entry in PEOPLE_ACTIONS if entry.english.base in PASSIVE_PEOPLE])
            subject, agent = self.phrases.somebody_else(by_whom), "に"
        else:
            action = self.choose.of([entry for entry in ACTIONS if entry.english.base in PASSIVE])
            noun = self.choose.of(action.objects)
            self.choose.combine(action.english.base, noun.english)
            subject = self.phrases.definite(noun)
            agent = "によって" if action.english.base in CREATION | {"repair", "choose", "carry", "open", "close", "find", "paint"} else "に"
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
        subject = self.choose.of((self.phrases.relative, self.phrases.name, lambda: self.phrases.definite(NOUNS["teacher"])))()
        other = self.phrases.somebody_else(subject)
        action = self.choose.of([entry for entry in ACTIONS if entry.particle == "を" and entry.english.base not in UNASKED])
        deed = self.deeds.transitive(replace(action, instruments=()), other, numbers=True)
        verb, japanese = "made", action.japanese.causative()
        if other.gender == "I" and self.choose.chance(0.5):
            verb, japanese = "let", japanese.te_with(Verb("くれる", "ichidan"))
        base = "make" if verb == "made" else "let"
        when = self.choose.of(TIMES["past"]) if self.choose.chance(0.3) else None
        clause = Clause(
            subject,
            Finite("did", f"{base} {other.as_object} {action.english.base}", f"{verb} {other.as_object} {action.english.base}"),
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
            noun = self.choose.of(nouns_of("book, flower, watch, tie, hat, present, cake, toy, ticket, letter, photo, map"))
            self.choose.combine("get", noun.english)
            thing = self.phrases.counted(noun) if self.choose.chance(0.4) else self.phrases.indefinite(noun)
            deed = Deed(
                EnglishVerb("get", "got", "got"), Verb("もらう", "godan"), f"{thing.english} from {other.as_object}",
                "", f"{other.japanese}から", thing.japanese, "を", thing.number,
            )  # fmt: skip
        else:
            action = self.choose.of([entry for entry in ACTIONS if entry.english.base in FAVOURS])
            deed = self.deeds.transitive(replace(action, instruments=(), places=()), other, numbers=True)
            inward = other.gender in {"I", "we"} or other.english.startswith("my ") and subject.gender not in {"I", "we"}
            giving = Verb("くれる" if inward else "あげる", "ichidan")
            deed = replace(
                deed, japanese=action.japanese.te_with(giving), english_rest=f"{deed.english_rest} for {other.as_object}",
                before_object=f"{other.japanese}のために",
            )  # fmt: skip
        mode = PLANNED[self.choose.of(("past", "past", "future"))]
        return self.registers.clause(self.deeds.said(subject, deed, mode, negative=0, time=0.5))

    def possession(self) -> Pair:
        """Somebody has two dogs: an animate possession is いる, others are 持っている."""
        subject = self.phrases.subject()
        noun = self.choose.of(nouns_of("machines, instruments, clothes, reading matter, umbrella, watch, dog, cat, house, bag, camera, horse"))
        self.choose.combine("have", noun.english)
        thing = self.phrases.counted(noun) if self.choose.chance(0.5) else self.phrases.indefinite(noun)
        past = self.choose.chance(0.2)
        japanese = Verb("飼う" if noun.animate else "持つ", "godan").continuing()
        auxiliary = "did" if past else "does" if subject.person is Person.SINGULAR else "do"
        finite = Finite(auxiliary, "have", HAVE.simple(subject.person, past=past))
        clause = Clause(subject, finite, thing.english, japanese, past=past, arguments=thing.marked("を"))
        return self.registers.asked(clause) if self.choose.chance(0.25) else self.registers.clause(clause)
