"""Japanese inflection: verbs, adjectives and the copula, each able to be plain, polite or before a noun.

Everything that ends a Japanese clause is a `Predicate`. A verb makes new predicates: `Verb("読む", "godan").wish()`
is an adjective (読みたい), `.potential()`, `.passive()`, `.continuing()` are verbs (読める, 読まれる, 読んでいる).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Adjective", "Copula", "Group", "Predicate", "Prefixed", "Verb"]

Group = Literal["godan", "ichidan", "suru", "kuru"]
ROWS = {
    "う": "わいえお",
    "く": "かきけこ",
    "ぐ": "がぎげご",
    "す": "さしせそ",
    "つ": "たちてと",
    "ぬ": "なにねの",
    "ぶ": "ばびべぼ",
    "む": "まみめも",
    "る": "らりれろ",
}
CONNECTIVES = {
    "う": "って",
    "つ": "って",
    "る": "って",
    "む": "んで",
    "ぶ": "んで",
    "ぬ": "んで",
    "く": "いて",
    "ぐ": "いで",
    "す": "して",
}


class Predicate(Protocol):
    """What ends a clause."""

    def plain(self, *, past: bool = False, negative: bool = False) -> str:
        """The plain form, which ends casual sentences and stands inside others."""
        ...

    def polite(self, *, past: bool = False, negative: bool = False) -> str:
        """The form of です and ます."""
        ...

    def before_noun(self, *, past: bool = False, negative: bool = False) -> str:
        """The form that stands before a noun, の or とき."""
        ...

    def before_guess(self, *, past: bool = False, negative: bool = False) -> str:
        """The form that stands before だろう and かもしれない: plain, but without だ."""
        ...


@dataclass(frozen=True)
class Adjective:
    """An い-adjective, by its dictionary form (高い)."""

    dictionary: str

    @property
    def stem(self) -> str:
        """Without い; いい inflects as よい."""
        return "よ" if self.dictionary == "いい" else self.dictionary[:-1]

    def plain(self, *, past: bool = False, negative: bool = False) -> str:
        """高い, 高かった, 高くない, 高くなかった."""
        if negative:
            return self.stem + ("くなかった" if past else "くない")
        return self.stem + "かった" if past else self.dictionary

    def polite(self, *, past: bool = False, negative: bool = False) -> str:
        """The plain form with です."""
        return self.plain(past=past, negative=negative) + "です"

    before_noun = plain
    before_guess = plain


@dataclass(frozen=True)
class Copula:
    """A noun or な-adjective with だ; `link` joins it to a noun (な or の)."""

    word: str
    link: str = "な"

    def plain(self, *, past: bool = False, negative: bool = False) -> str:
        """静かだ, 静かだった, 静かではない, 静かではなかった."""
        if negative:
            return self.word + ("ではなかった" if past else "ではない")
        return self.word + ("だった" if past else "だ")

    def polite(self, *, past: bool = False, negative: bool = False) -> str:
        """静かです, 静かでした, 静かではありません, 静かではありませんでした."""
        if negative:
            return self.word + ("ではありませんでした" if past else "ではありません")
        return self.word + ("でした" if past else "です")

    def before_noun(self, *, past: bool = False, negative: bool = False) -> str:
        """静かな, 学生の; else the plain form."""
        return self.plain(past=past, negative=negative) if past or negative else self.word + self.link

    def before_guess(self, *, past: bool = False, negative: bool = False) -> str:
        """静か; else the plain form."""
        return self.plain(past=past, negative=negative) if past or negative else self.word


@dataclass(frozen=True)
class Verb:
    """A verb by its dictionary form: godan (読む), ichidan (食べる), suru (勉強する) or kuru (来る)."""

    dictionary: str
    group: Group

    def _stem(self, row: int) -> str:
        """The stem of godan verbs on あ, い, え, お (0 to 3); the others have one."""
        if self.group == "godan":
            return self.dictionary[:-1] + ROWS[self.dictionary[-1]][row]
        if self.group == "suru":
            return self.dictionary[:-2] + "し"
        return self.dictionary[:-1]

    @property
    def masu_stem(self) -> str:
        """読み, 食べ, 勉強し, 来."""
        return self._stem(1)

    @property
    def te(self) -> str:
        """読んで, 食べて, 勉強して, 来て; 行く is irregular."""
        if self.group != "godan":
            return self.masu_stem + "て"
        if self.dictionary.endswith("行く"):
            return self.dictionary[:-1] + "って"
        return self.dictionary[:-1] + CONNECTIVES[self.dictionary[-1]]

    @property
    def ta(self) -> str:
        """読んだ, 食べた."""
        return self.te[:-1] + {"て": "た", "で": "だ"}[self.te[-1]]

    @property
    def nai_stem(self) -> str:
        """What stands before ない, なければ and ないで; nothing for ある."""
        return self.dictionary[:-2] if self.is_aru else self._stem(0)

    @property
    def is_aru(self) -> bool:
        """ある has its own negative."""
        return self.group == "godan" and self.dictionary.endswith("ある")

    @property
    def volitional(self) -> str:
        """読もう, 食べよう, 勉強しよう, 来よう."""
        return self._stem(3) + ("う" if self.group == "godan" else "よう")

    def plain(self, *, past: bool = False, negative: bool = False) -> str:
        """読む, 読んだ, 読まない, 読まなかった."""
        if negative:
            return self.nai_stem + ("なかった" if past else "ない")
        return self.ta if past else self.dictionary

    def polite(self, *, past: bool = False, negative: bool = False) -> str:
        """読みます, 読みました, 読みません, 読みませんでした."""
        if negative:
            return self.masu_stem + ("ませんでした" if past else "ません")
        return self.masu_stem + ("ました" if past else "ます")

    before_noun = plain
    before_guess = plain

    def potential(self) -> Verb:
        """読める, 食べられる, 勉強できる, 来られる."""
        if self.group == "suru":
            return Verb(self.dictionary[:-2] + "できる", "ichidan")
        return Verb(self._stem(2) + ("る" if self.group == "godan" else "られる"), "ichidan")

    def passive(self) -> Verb:
        """読まれる, 食べられる, 掃除される, 来られる."""
        if self.group == "suru":
            return Verb(self.dictionary[:-2] + "される", "ichidan")
        return Verb(self._stem(0) + ("れる" if self.group == "godan" else "られる"), "ichidan")

    def causative(self) -> Verb:
        """読ませる, 食べさせる, 勉強させる, 来させる."""
        if self.group == "suru":
            return Verb(self.dictionary[:-2] + "させる", "ichidan")
        return Verb(self._stem(0) + ("せる" if self.group == "godan" else "させる"), "ichidan")

    def wish(self) -> Adjective:
        """読みたい."""
        return Adjective(self.masu_stem + "たい")

    def continuing(self) -> Verb:
        """読んでいる."""
        return self.te_with(Verb("いる", "ichidan"))

    def te_with(self, other: Verb) -> Verb:
        """The て-form with a second verb: 読んでくれる, 読んでみる."""
        return Verb(self.te + other.dictionary, other.group)

    def stem_with(self, other: Verb) -> Verb:
        """The ます-stem with a second verb: 読み始める, 読み終わる."""
        return Verb(self.masu_stem + other.dictionary, other.group)


@dataclass(frozen=True)
class Prefixed:
    """A fixed ending whose last word inflects, perhaps only in the negative: 読まなければ + なる -> ならない."""

    prefix: str
    last: Predicate
    always_negative: bool = False

    def _negative(self, negative: bool) -> bool:
        if negative and self.always_negative:
            raise ValueError(f"{self.prefix} is negative already")
        return negative or self.always_negative

    def plain(self, *, past: bool = False, negative: bool = False) -> str:
        """The prefix with the last word's plain form."""
        return self.prefix + self.last.plain(past=past, negative=self._negative(negative))

    def polite(self, *, past: bool = False, negative: bool = False) -> str:
        """The prefix with the last word's polite form."""
        return self.prefix + self.last.polite(past=past, negative=self._negative(negative))

    def before_noun(self, *, past: bool = False, negative: bool = False) -> str:
        """The prefix with the last word's form before a noun."""
        return self.prefix + self.last.before_noun(past=past, negative=self._negative(negative))

    def before_guess(self, *, past: bool = False, negative: bool = False) -> str:
        """The prefix with the last word's form before a guess."""
        return self.prefix + self.last.before_guess(past=past, negative=self._negative(negative))
