"""Noun phrases in both languages: pronouns, names, relatives, and nouns with determiners, adjectives and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .adjectives import QUALITIES
from .choice import Chooser
from .english import Person
from .nouns import GROUPS, KIN, NAMES, NOUNS, SURNAMES, Noun
from .times_and_places import NUMBERS

__all__ = ["NounPhrase", "NounPhrases"]


@dataclass(frozen=True)
class NounPhrase:
    """What a clause says something about. `number` floats behind the particle in Japanese (本を三冊)."""

    english: str
    japanese: str
    person: Person = Person.SINGULAR
    object_english: str = ""
    gender: str = ""
    number: str = ""
    definite: bool = True
    noun: Noun | None = None

    @property
    def as_object(self) -> str:
        """In English, after a verb or preposition."""
        return self.object_english or self.english

    def marked(self, particle: str) -> str:
        """In Japanese with its particle and floating number."""
        return self.japanese + particle + self.number


PRONOUNS = [
    NounPhrase("I", "私", Person.I, "me", gender="I"),
    NounPhrase("I", "私", Person.I, "me", gender="I"),
    NounPhrase("he", "彼", Person.SINGULAR, "him", gender="m"),
    NounPhrase("she", "彼女", Person.SINGULAR, "her", gender="f"),
    NounPhrase("we", "私たち", Person.PLURAL, "us", gender="we"),
    NounPhrase("they", "彼ら", Person.PLURAL, "them", gender="they"),
    NounPhrase("you", "あなた", Person.PLURAL, "you", gender="you"),
]
POSSESSIVES = {
    "I": ("my", "私の"),
    "you": ("your", "あなたの"),
    "m": ("his", "彼の"),
    "f": ("her", "彼女の"),
    "we": ("our", "私たちの"),
    "they": ("their", "彼らの"),
}
ADJECTIVES = {
    noun.english: [quality for quality in QUALITIES if noun in quality.nouns] for noun in NOUNS.values()
}


class NounPhrases:
    """Makes noun phrases by chance."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose

    def pronoun(self) -> NounPhrase:
        """I, he, she, we, they, you."""
        return self.choose.of(PRONOUNS)

    def name(self) -> NounPhrase:
        """A first name, sometimes a surname with Mr. or Ms."""
        if self.choose.chance(0.2):
            english, japanese = self.choose.of(SURNAMES)
            title, gender = self.choose.of([("Mr.", "m"), ("Ms.", "f")])
            return NounPhrase(f"{title} {english}", f"{japanese}さん", gender=gender)
        name = self.choose.of(NAMES)
        return NounPhrase(name.english, name.japanese, gender="m" if name.male else "f")

    def relative(self) -> NounPhrase:
        """My mother (母), Tom's mother (トムのお母さん)."""
        kin = self.choose.of(KIN)
        gender = "m" if kin.male else "f"
        if self.choose.chance(0.5):
            return NounPhrase(f"my {kin.english}", kin.own, gender=gender)
        if self.choose.chance(0.3):
            return NounPhrase(f"your {kin.english}", f"あなたの{kin.others}", gender=gender)
        owner = self.choose.of(NAMES)
        return NounPhrase(
            f"{owner.english}'s {kin.english}", f"{owner.japanese}の{kin.others}", gender=gender
        )

    def adjective(self, noun: Noun, chance: float) -> tuple[str, str]:
        """An adjective with a space behind it and its Japanese, or two empty strings."""
        fitting = ADJECTIVES[noun.english]
        if not fitting or not self.choose.chance(chance):
            return "", ""
        quality = self.choose.of(fitting)
        self.choose.combine(quality.english, noun.english)
        return f"{quality.english} ", quality.before_noun

    def definite(self, noun: Noun, *, adjective: float = 0.3, plural: float = 0.1) -> NounPhrase:
        """The, this or that noun; people sometimes in the plural (学生たち)."""
        english, japanese = self.adjective(noun, adjective)
        if noun.human and noun.plural and self.choose.chance(plural):
            suffix = noun.japanese if noun.japanese.endswith("達") else noun.japanese + "たち"
            return NounPhrase(f"the {english}{noun.plural}", japanese + suffix, Person.PLURAL, noun=noun)
        if noun.without_article:
            return NounPhrase(noun.english, noun.japanese, noun=noun)
        person = Person.PLURAL if noun.always_plural else Person.SINGULAR
        singular = self.choose.weighted(
            [(5, ("the", "")), (1.5, ("this", "この")), (1.5, ("that", "あの"))]
            if noun.plural and noun.group != "drinks"
            else [(1, ("the", ""))]
        )
        return NounPhrase(
            f"{singular[0]} {english}{noun.english}",
            singular[1] + japanese + noun.japanese,
            person,
            noun=noun,
        )

    def indefinite(self, noun: Noun, *, adjective: float = 0.3) -> NounPhrase:
        """A noun that is new to the listener: が instead of は when it is the subject."""
        english, japanese = ("", "") if noun.without_article else self.adjective(noun, adjective)
        bare = NounPhrase("", japanese + noun.japanese, definite=False, noun=noun)
        if not noun.plural or noun.group == "drinks":
            return replace(bare, english=f"{english}{noun.english}")
        article = (
            "an" if (english or noun.english)[0] in "aeiou" and not english.startswith("useful") else "a"
        )
        return replace(bare, english=f"{article} {english}{noun.english}")

    def counted(self, noun: Noun, *, adjective: float = 0.25) -> NounPhrase:
        """Three red umbrellas: 赤い傘 with 三本 floating."""
        number, digit = self.choose.of(NUMBERS[:6])
        if noun.group == "drinks":
            english, japanese = "", ""
        else:
            english, japanese = self.adjective(noun, adjective)
        plural = noun.plural
        if number == "one":
            plural = noun.english
            if noun.group == "drinks":
                plural = noun.plural.replace("cups", "cup").replace("glasses", "glass")
        return NounPhrase(
            f"{number} {english}{plural}",
            japanese + noun.japanese,
            Person.SINGULAR if number == "one" else Person.PLURAL,
            number=digit + noun.counter,
            definite=False,
            noun=noun,
        )

    def subject(self, *, pronouns: bool = True, people_only: bool = True) -> NounPhrase:
        """Somebody who acts."""
        kind = self.choose.weighted(
            [
                (4 if pronouns else 0, "pronoun"),
                (4, "name"),
                (1.5, "kin"),
                (3.5, "noun"),
                (0 if people_only else 1, "animal"),
            ]
        )
        if kind == "pronoun":
            return self.pronoun()
        if kind == "name":
            return self.name()
        if kind == "kin":
            return self.relative()
        return self.definite(self.choose.of(GROUPS["people" if kind == "noun" else "animals"]))

    def somebody_else(self, subject: NounPhrase) -> NounPhrase:
        """A person who cannot be the subject."""
        while True:
            other = self.subject()
            clash = other.gender and other.gender == subject.gender
            both_we = {"I", "we"} >= {other.gender, subject.gender}
            inside = subject.japanese and (
                other.japanese in subject.japanese or subject.japanese in other.japanese
            )
            if not clash and not both_we and not inside:
                return other

    def thing(self, noun: Noun, subject: NounPhrase, *, numbers: bool) -> NounPhrase:
        """An object for a verb of `subject`."""
        owned = bool(noun.plural) and noun.group not in {"people", "big animals", "drinks", "food"}
        kind = self.choose.weighted(
            [
                (4, "indefinite"),
                (3, "definite"),
                (3.5 if numbers and noun.plural else 0, "counted"),
                (1.5 if owned else 0, "owned"),
            ]
        )
        if kind == "indefinite":
            return self.indefinite(noun)
        if kind == "definite":
            return self.definite(noun)
        if kind == "counted":
            return self.counted(noun)
        return self.owned(noun, subject)

    def owned(self, noun: Noun, subject: NounPhrase) -> NounPhrase:
        """My, his, Tom's; the subject's own things need no owner in Japanese."""
        if self.choose.chance(0.4):
            owner = self.choose.of(NAMES)
            if owner.japanese not in subject.japanese:
                return NounPhrase(
                    f"{owner.english}'s {noun.english}", f"{owner.japanese}の{noun.japanese}", noun=noun
                )
        gender = self.choose.of(list(POSSESSIVES))
        english, japanese = POSSESSIVES[gender]
        if gender == subject.gender:
            japanese = ""
        if gender in "mf" and not subject.gender:
            return self.definite(noun)
        return NounPhrase(f"{english} {noun.english}", japanese + noun.japanese, noun=noun)
