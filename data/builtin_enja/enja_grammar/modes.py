"""Tense, aspect and modality: how a verb is said in both languages (reads/読む, wants to read/読みたがっている)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .english import BE, HAVE, EnglishVerb, Person
from .inflection import Adjective, Copula, Predicate, Prefixed, Verb

__all__ = ["BEING", "MODES", "PLANNED", "Finite", "Mode"]


@dataclass(frozen=True)
class Finite:
    """A finite English verb: `simple` if it needs no auxiliary when affirmed, else auxiliary and rest."""

    auxiliary: str
    rest: str
    simple: str = ""

    @property
    def affirmed(self) -> str:
        """As said in a statement."""
        return self.simple or f"{self.auxiliary} {self.rest}".strip()


@dataclass(frozen=True)
class Mode:
    """One way to say a verb; `times` names the times that go with it, `tail` and `adverb` are said beside it."""

    name: str
    times: str
    english: Callable[[EnglishVerb, Person], Finite]
    japanese: Callable[[Verb], Predicate]
    past: bool = False
    negatable: bool = True
    negative: bool = False
    tail: str = ""
    adverb: str = ""
    object_ga: bool = False
    persons: frozenset[Person] = frozenset(Person)
    weight: float = 1.0


def _with(verb: EnglishVerb, rest: Callable[[EnglishVerb], str], *, past: bool) -> Callable[..., Finite]:
    """A full verb (want, begin) before the main one."""

    def finite(main: EnglishVerb, person: Person) -> Finite:
        auxiliary = "did" if past else "does" if person is Person.SINGULAR else "do"
        return Finite(
            auxiliary, f"{verb.base} {rest(main)}", f"{verb.simple(person, past=past)} {rest(main)}"
        )

    return finite


def _simple(*, past: bool) -> Callable[[EnglishVerb, Person], Finite]:
    def finite(main: EnglishVerb, person: Person) -> Finite:
        auxiliary = "did" if past else "does" if person is Person.SINGULAR else "do"
        return Finite(auxiliary, main.base, main.simple(person, past=past))

    return finite


def _being(rest: Callable[[EnglishVerb], str], *, past: bool = False) -> Callable[..., Finite]:
    return lambda main, person: Finite(BE[person, past], rest(main))


def _modal(auxiliary: str) -> Callable[[EnglishVerb, Person], Finite]:
    return lambda main, _: Finite(auxiliary, main.base)


def _perfect(adverb: str = "") -> Callable[[EnglishVerb, Person], Finite]:
    return lambda main, person: Finite(HAVE.simple(person, past=False), f"{adverb} {main.participle}".strip())


def _to(verb: EnglishVerb) -> str:
    return f"to {verb.base}"


def _ing(verb: EnglishVerb) -> str:
    return verb.ing


def _verb(base: str, past: str | None = None) -> EnglishVerb:
    return EnglishVerb(base, past or base + "ed", past or base + "ed")


FIRST = frozenset({Person.I})
OTHERS = frozenset({Person.SINGULAR})
NARU, II, IKERU = Verb("なる", "godan"), Adjective("いい"), Verb("いける", "ichidan")
SURU, IRU, ARU = Verb("する", "suru"), Verb("いる", "ichidan"), Verb("ある", "godan")

# Lexical compounds such as 覚えてみる aside, every entry reads `English <-> Japanese`.
MODES = [
    Mode("present", "present", _simple(past=False), lambda v: v, weight=4),
    Mode("past", "past", _simple(past=True), lambda v: v, past=True, weight=9),
    Mode("future", "future", _modal("will"), lambda v: v, weight=4),
    Mode("now", "now", _being(_ing), Verb.continuing, weight=3),
    Mode("then", "then", _being(_ing, past=True), Verb.continuing, past=True, weight=2.5),
    Mode("can", "", _modal("can"), Verb.potential, object_ga=True, weight=2),
    Mode("could", "past", _modal("could"), Verb.potential, past=True, object_ga=True, weight=1.2),
    Mode("want", "future", _with(_verb("want"), _to, past=False), Verb.wish, persons=FIRST, weight=2),
    Mode("wanted", "past", _with(_verb("want"), _to, past=True), Verb.wish, past=True, persons=FIRST),
    Mode(
        "others want",
        "",
        _with(_verb("want"), _to, past=False),
        lambda v: Verb(v.masu_stem + "たがる", "godan").continuing(),
        persons=OTHERS,
        weight=1.5,
    ),
    Mode(
        "have to",
        "future",
        _with(EnglishVerb("have", "had", "had"), _to, past=False),
        lambda v: Prefixed(v.nai_stem + "なければ", NARU, always_negative=True),
        negatable=False,
        weight=1.5,
    ),
    Mode(
        "had to",
        "past",
        _with(EnglishVerb("have", "had", "had"), _to, past=True),
        lambda v: Prefixed(v.nai_stem + "なければ", NARU, always_negative=True),
        past=True,
        negatable=False,
    ),
    Mode(
        "should",
        "",
        _modal("should"),
        lambda v: Prefixed(v.ta + "方が", II),
        negatable=False,
        weight=1.2,
    ),
    Mode("may", "", _modal("may"), lambda v: Prefixed(v.te + "も", II), negatable=False, weight=0.8),
    Mode(
        "intend",
        "future",
        _being(lambda verb: f"going to {verb.base}"),
        lambda v: Copula(v.dictionary + "つもり", "の"),
        negatable=False,
        weight=1.2,
    ),
    Mode(
        "tried",
        "past",
        _with(_verb("try", "tried"), _to, past=True),
        lambda v: Prefixed(v.volitional + "と", SURU),
        past=True,
        negatable=False,
    ),
    Mode(
        "began",
        "past",
        _with(EnglishVerb("begin", "began", "begun"), _to, past=True),
        lambda v: v.stem_with(Verb("始める", "ichidan")),
        past=True,
        negatable=False,
    ),
    Mode(
        "like",
        "",
        _with(EnglishVerb("like", "liked", "liked"), _ing, past=False),
        lambda v: Prefixed(v.dictionary + "のが", Copula("好き")),
        weight=1.2,
    ),
    Mode(
        "good at",
        "",
        _being(lambda verb: f"good at {verb.ing}"),
        lambda v: Prefixed(v.dictionary + "のが", Copula("上手")),
        persons=frozenset({Person.SINGULAR, Person.PLURAL}),
    ),
    Mode(
        "decided",
        "past",
        _with(EnglishVerb("decide", "decided", "decided"), _to, past=True),
        lambda v: Prefixed(v.dictionary + "ことに", SURU),
        past=True,
        negatable=False,
    ),
    Mode(
        "promised",
        "past",
        _with(EnglishVerb("promise", "promised", "promised"), _to, past=True),
        lambda v: Prefixed(v.dictionary + "と", Verb("約束する", "suru")),
        past=True,
        negatable=False,
    ),
    Mode("once", "", _perfect(), lambda v: Prefixed(v.ta + "ことが", ARU), negatable=False, tail="before"),
    Mode(
        "never",
        "",
        _perfect("never"),
        lambda v: Prefixed(v.ta + "ことが", ARU, always_negative=True),
        negatable=False,
    ),
    Mode("already", "", _perfect("already"), lambda v: v, past=True, negatable=False, adverb="もう"),
    Mode("not yet", "", _perfect(), Verb.continuing, negative=True, tail="yet", adverb="まだ"),
]
PLANNED = {mode.name: mode for mode in MODES}
BEING = {False: "present", True: "past"}
