"""What somebody does: a verb with object, recipient, place and instrument, and clauses made of it."""

from __future__ import annotations

from dataclasses import dataclass

from .actions import ACTIONS, ANIMAL_ACTIONS, GIFTS, INTRANSITIVES, PEOPLE_ACTIONS, TRIPS, Action
from .choice import Chooser
from .clauses import Clause
from .english import EnglishVerb, Person
from .inflection import Verb
from .modes import MODES, Mode
from .noun_phrases import NounPhrase, NounPhrases
from .times_and_places import PLACES, TIMES, VEHICLES, Adverbial

__all__ = ["Deed", "Deeds"]

CITIES = ("Tokyo", "Kyoto", "Osaka", "Nara", "London", "Paris")
HABITS = [
    Adverbial(*entry)
    for entry in (("often", "よく"), ("always", "いつも"), ("sometimes", "時々"), ("usually", "たいてい"))
]

COUNTING = {"past", "future", "already", "want", "wanted", "now", "intend", "have to", "had to", "decided"}
SOCIABLE = {"run", "walk", "swim", "work", "dance", "laugh", "rest", "play", "wait"}
ACCIDENTS = {"past", "future", "already", "never", "once", "not yet"}


@dataclass(frozen=True)
class Deed:
    """A verb phrase; `object_ja` carries no particle, `english_rest` follows the English verb."""

    english: EnglishVerb
    japanese: Verb
    english_rest: str = ""
    scene: str = ""
    before_object: str = ""
    object_ja: str = ""
    particle: str = ""
    number: str = ""
    is_about_thing: bool = False

    def arguments(self, *, object_ga: bool = False) -> str:
        """All between scene and verb; a thing that can be done takes が (ピアノが弾ける), a person を."""
        particle = "が" if object_ga and self.is_about_thing and self.particle == "を" else self.particle
        return self.before_object + (self.object_ja + particle + self.number if self.object_ja else "")


class Deeds:
    """Makes deeds and clauses by chance."""

    def __init__(self, choose: Chooser, phrases: NounPhrases) -> None:
        self.choose = choose
        self.phrases = phrases

    def deed(self, subject: NounPhrase, *, numbers: bool = True) -> Deed:
        """Something that `subject` may do."""
        if subject.noun is not None and not subject.noun.human:
            if self.choose.chance(0.25):
                return self.intransitive(self.choose.of(INTRANSITIVES[:2]))
            return self.transitive(self.choose.of(ANIMAL_ACTIONS), subject, numbers=False)
        kind = self.choose.weighted(
            [(6, "transitive"), (1.6, "person"), (1.6, "intransitive"), (1.6, "trip"), (1, "gift")]
        )
        if kind == "transitive":
            return self.transitive(self.choose.of(ACTIONS), subject, numbers=numbers)
        if kind == "person":
            return self.with_person(subject)
        if kind == "intransitive":
            return self.intransitive(self.choose.of(INTRANSITIVES), subject)
        if kind == "trip":
            return self.trip(subject)
        return self.gift(subject)

    def transitive(self, action: Action, subject: NounPhrase, *, numbers: bool) -> Deed:
        """A verb with a thing as its object."""
        noun = self.choose.of(action.objects)
        self.choose.combine(action.english.base, noun.english)
        thing = self.phrases.thing(noun, subject, numbers=numbers and action.particle == "を")
        rest, scene, before = thing.as_object, "", ""
        if action.instruments and self.choose.chance(0.25):
            english, japanese = self.choose.of(action.instruments)
            rest, before = f"{rest} with {english}", f"{japanese}で"
        if action.places and self.choose.chance(0.3):
            place = self.choose.of(action.places)
            rest, scene = f"{rest} {place.inside}", f"{place.japanese}で"
        return Deed(
            action.english,
            action.japanese,
            rest,
            scene,
            before,
            thing.japanese,
            action.particle,
            thing.number,
            is_about_thing=True,
        )

    def with_person(self, subject: NounPhrase) -> Deed:
        """A verb with a person as its object."""
        action = self.choose.of(PEOPLE_ACTIONS)
        other = self.phrases.somebody_else(subject)
        while action.english.base == "marry" and other.person is Person.PLURAL and other.gender != "you":
            other = self.phrases.somebody_else(subject)
        rest, scene = other.as_object, ""
        if action.english.base in {"meet", "wait for", "help"} and self.choose.chance(0.6):
            place = PLACES[
                self.choose.of(("station", "library", "park", "airport", "hotel", "restaurant", "Kyoto"))
            ]
            rest, scene = f"{rest} {place.inside}", f"{place.japanese}で"
        return Deed(action.english, action.japanese, rest, scene, "", other.japanese, action.particle)

    def intransitive(self, action: Action, subject: NounPhrase | None = None) -> Deed:
        """A verb without an object, somewhere, perhaps with somebody."""
        rest, scene, before = "", "", ""
        if subject is not None and action.english.base in SOCIABLE and self.choose.chance(0.35):
            other = self.phrases.somebody_else(subject)
            rest, before = f"with {other.as_object}", f"{other.japanese}と"
        if self.choose.chance(0.75) or not rest:
            place = self.choose.of(action.places)
            rest, scene = f"{rest} {place.inside}".strip(), f"{place.japanese}で"
        return Deed(action.english, action.japanese, rest, scene, before)

    def trip(self, subject: NounPhrase) -> Deed:
        """Going somewhere, with somebody or by some vehicle."""
        action = self.choose.of(TRIPS)
        keys = [
            key for key in PLACES if key not in {"street", "train", "garden", "kitchen", "room", "classroom"}
        ]
        place = PLACES[self.choose.of(keys)]
        self.choose.combine(action.english.base, place.english)
        rest, before = place.english, ""
        if self.choose.chance(0.3):
            vehicle = self.choose.of(VEHICLES)
            rest, before = f"{rest} {vehicle.english}", vehicle.japanese
        elif self.choose.chance(0.3):
            other = self.phrases.somebody_else(subject)
            rest, before = f"{rest} with {other.as_object}", f"{other.japanese}と"
        return Deed(action.english, action.japanese, rest, "", before, place.japanese, action.particle)

    def gift(self, subject: NounPhrase) -> Deed:
        """Giving: くれる towards the speaker, else あげる."""
        noun = self.choose.of(GIFTS)
        thing = self.phrases.counted(noun) if self.choose.chance(0.3) else self.phrases.indefinite(noun)
        verb, to_me, to_others = self.choose.of(
            (
                (EnglishVerb("give", "gave", "given"), Verb("くれる", "ichidan"), Verb("あげる", "ichidan")),
                (
                    EnglishVerb("lend", "lent", "lent"),
                    Verb("貸してくれる", "ichidan"),
                    Verb("貸す", "godan"),
                ),
                (
                    EnglishVerb("show", "showed", "shown"),
                    Verb("見せてくれる", "ichidan"),
                    Verb("見せる", "ichidan"),
                ),
                (EnglishVerb("send", "sent", "sent"), Verb("送ってくれる", "ichidan"), Verb("送る", "godan")),
            )
        )
        other = self.phrases.somebody_else(subject)
        self.choose.combine(verb.base, noun.english)
        inward = (
            other.gender in {"I", "we"}
            or other.english.startswith("my ")
            and subject.gender not in {"I", "we"}
        )
        return Deed(
            verb,
            to_me if inward else to_others,
            f"{other.as_object} {thing.as_object}",
            "",
            f"{other.japanese}に",
            thing.japanese,
            "を",
            thing.number,
            is_about_thing=True,
        )

    def mode(self, subject: NounPhrase, deed: Deed, allowed: tuple[str, ...] = ()) -> Mode | None:
        """A mode that goes with person and verb, if any of those allowed does."""
        towards_me = deed.japanese.dictionary.endswith("くれる")
        fitting = [
            mode
            for mode in MODES
            if subject.person in mode.persons
            and (not allowed or mode.name in allowed)
            and not (subject.gender == "you" and mode.name in {"decided", "tried", "promised", "good at"})
            and not (deed.number and mode.name not in COUNTING)
            and not (towards_me and mode.name not in {"past", "future", "already"})
            and not (subject.noun is not None and not subject.noun.animate)
        ]
        animal = subject.noun is not None and not subject.noun.human
        if animal:
            fitting = [mode for mode in fitting if mode.name in {"present", "past", "now", "then", "future"}]
        if deed.english.base in {"arrive at", "return to", "come to", "go to", "leave", "marry"}:
            fitting = [mode for mode in fitting if mode.name not in {"now", "then", "began", "good at"}]
        if deed.english.base in {
            "lose",
            "forget",
            "find",
            "fall down",
            "break",
            "marry",
            "receive",
            "arrive at",
        }:
            fitting = [mode for mode in fitting if mode.name in ACCIDENTS]
        if deed.english.base == "wear":
            fitting = [mode for mode in fitting if mode.name in {"present", "now", "then"}]
        return self.choose.weighted([(mode.weight, mode) for mode in fitting]) if fitting else None

    def clause(
        self,
        subject: NounPhrase | None = None,
        *,
        allowed: tuple[str, ...] = (),
        negative: float = 0.15,
        time: float = 0.4,
        pronouns: bool = True,
    ) -> Clause:
        """Somebody does something."""
        subject = subject or self.phrases.subject(pronouns=pronouns, people_only=False)
        deed = self.deed(subject)
        mode = self.mode(subject, deed, allowed)
        while mode is None:
            deed = self.deed(subject)
            mode = self.mode(subject, deed, allowed)
        return self.said(subject, deed, mode, negative=negative, time=time)

    def said(
        self, subject: NounPhrase, deed: Deed, mode: Mode, *, negative: float = 0.15, time: float = 0.4
    ) -> Clause:
        """A clause of these three, perhaps negated, perhaps with a time."""
        english, japanese = deed.english, deed.japanese
        if deed.english.base == "wear" and mode.name == "present":
            japanese = japanese.continuing()
        finite = mode.english(english, subject.person)
        negated = mode.negatable and subject.definite and not deed.number and self.choose.chance(negative)
        when = Adverbial("", "")
        adverb = mode.adverb
        if mode.times and self.choose.chance(time):
            when = self.choose.of(TIMES[mode.times])
            if mode.name == "present" and self.choose.chance(0.5):
                habit = self.choose.of(HABITS)
                if not negated:
                    when = Adverbial("", "")
                    finite = type(finite)(
                        finite.auxiliary,
                        f"{habit.english} {finite.rest}",
                        f"{habit.english} {finite.affirmed}",
                    )
                    adverb = habit.japanese
        return Clause(
            subject,
            finite,
            f"{deed.english_rest} {mode.tail}".strip(),
            mode.japanese(japanese),
            past=mode.past,
            negative=negated or mode.negative,
            english_time=when.english,
            time=when.japanese,
            scene=adverb + deed.scene,
            arguments=deed.arguments(object_ga=mode.object_ga),
            arguments_inside=deed.arguments(),
        )
