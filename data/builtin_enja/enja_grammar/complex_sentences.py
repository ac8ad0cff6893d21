"""Sentences of two clauses: relative clauses, reasons, times, conditions, quotation, guesses, clefts."""

from __future__ import annotations

from dataclasses import replace

from .actions import ACTIONS, PEOPLE_ACTIONS
from .adjectives import QUALITIES
from .choice import Chooser
from .clauses import Clause
from .english import EnglishVerb, Person
from .inflection import Predicate, Verb
from .modes import PLANNED, Finite
from .noun_phrases import NounPhrase
from .nouns import GROUPS, Noun
from .registers import Pair, Registers
from .simple_sentences import SimpleSentences
from .times_and_places import TIMES

__all__ = ["ComplexSentences"]

# What is known, feared or told: English before the clause, Japanese behind it (plain, polite), the form it wants.
FRAMES = [
    ("I think that ", "と思う", "と思います", "plain"),
    ("I don't think that ", "とは思わない", "とは思いません", "plain"),
    ("I hear that ", "そうだ", "そうです", "plain"),
    ("perhaps ", "かもしれない", "かもしれません", "before guess"),
    ("I am sure that ", "に違いない", "に違いありません", "before guess"),
    ("it seems that ", "ようだ", "ようです", "before noun"),
    ("I don't know whether ", "かどうか分からない", "かどうか分かりません", "before guess"),
    ("I am glad that ", "ので嬉しい", "ので嬉しいです", "explained"),
    ("I was surprised that ", "ので驚いた", "ので驚きました", "explained"),
    ("it is true that ", "のは本当だ", "のは本当です", "explained"),
    ("I knew that ", "ことを知っていた", "ことを知っていました", "before noun"),
]
SITUATIONS = ("past", "past", "present", "future", "now", "can", "already")
MAIN_PAST = ("past", "past", "then", "could", "decided", "had to", "began")
PURPOSES = {"read", "buy", "borrow", "eat", "drink", "study", "play", "see", "look at", "watch", "draw", "sell", "receive"}
GO = EnglishVerb("go to", "went to", "gone to")
WEATHER = [
    ("raining", "雨が", Verb("降る", "godan")),
    ("snowing", "雪が", Verb("降る", "godan")),
]


class ComplexSentences:
    """Makes sentences of two clauses."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose
        self.simple = SimpleSentences(choose)
        self.phrases = self.simple.phrases
        self.deeds = self.simple.deeds
        self.registers: Registers = self.simple.registers

    def _apart(self, other: NounPhrase) -> NounPhrase:
        """A subject that no pronoun confuses with `other`."""
        while True:
            subject = self.phrases.somebody_else(other)
            if subject.english not in {"he", "she", "they"}:
                return subject

    def _first(self) -> NounPhrase:
        return self._apart(NounPhrase("nobody", "誰も"))

    def object_relative(self) -> tuple[NounPhrase, Noun]:
        """The book that Tom bought yesterday: トムが昨日買った本."""
        action = self.choose.of([entry for entry in ACTIONS if entry.english.base not in {"wear", "put on", "take off"}])
        noun = self.choose.of([entry for entry in action.objects if entry.plural] or [GROUPS["reading matter"][0]])
        if noun not in action.objects:
            action = ACTIONS[0]
        self.choose.combine(action.english.base, noun.english)
        subject = self._first()
        when = self.choose.of(TIMES["past"]) if self.choose.chance(0.5) else None
        place = self.choose.of(action.places) if action.places and not when and self.choose.chance(0.5) else None
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
        kind = self.choose.of(("quality", "thing object", "person subject", "person subject", "person object"))
        if kind == "person subject":
            head = self.subject_relative()
            if self.choose.chance(0.4):
                fitting = [entry for entry in QUALITIES if head.noun in entry.nouns]
                quality = self.choose.of(fitting)
                return self._said(self.simple.being(head, quality.english, quality.predicate, past=False, negative=False))
            return self._said(self.deeds.clause(head, allowed=("past", "past", "now", "future"), negative=0.1, time=0))
        if kind == "person object":
            subject = self.phrases.subject()
            action = self.choose.of(PEOPLE_ACTIONS[:8])
            head = self.subject_relative()
            return self._said(self._act(subject, action.english.past, action.english.base, head, action.particle, action.japanese))
        head, noun = self.object_relative()
        fitting = [entry for entry in QUALITIES if noun in entry.nouns]
        if kind == "quality" and fitting:
            quality = self.choose.of(fitting)
            self.choose.combine(quality.english, noun.english)
            clause = self.simple.being(
                head, quality.english, quality.predicate, past=self.choose.chance(0.5), negative=self.choose.chance(0.2)
            )
            return self._said(clause)
        users = [entry for entry in ACTIONS if noun in entry.objects and entry.english.base not in {"wear", "paint"}]
        action = self.choose.of(users)
        self.choose.combine(action.english.base, noun.english)
        subject = self._first()
        return self._said(self._act(subject, action.english.past, action.english.base, head, action.particle, action.japanese))

    def _act(self, subject: NounPhrase, past: str, base: str, head: NounPhrase, particle: str, verb: Predicate) -> Clause:
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
        return self.registers.asked(replace(clause, negative=False)) if self.choose.chance(0.15) else self.registers.clause(clause)

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
            cause = self.simple.feeling(past=past)
            while cause.subject.english in {"he", "she", "they"}:
                cause = self.simple.feeling(past=past)
        else:
            cause = self.deeds.clause(self._first(), allowed=("past", "already") if past else ("future", "now"), time=0.2)
        main = self.deeds.clause(
            self._apart(cause.subject), allowed=MAIN_PAST if past else ("future", "can", "want", "have to"), time=0.1
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
            cause = self.simple.feeling(past=True)
        else:
            cause = self.deeds.clause(self._first(), allowed=("past",), time=0.2)
        if cause.subject.english in {"he", "she", "they"}:
            return self.contrast()
        main = self.deeds.clause(self._apart(cause.subject), allowed=("past", "could"), negative=0.4, time=0.1)
        return self.registers.clause(main, (f"although {cause.statement}, ", cause.japanese("explained", "が") + "のに、"))

    def time(self) -> Pair:
        """When (とき), after (後で), before (前に), while (間に)."""
        first = self._first()
        word = self.choose.of(("when", "when", "after", "before", "while"))
        allowed = ("then",) if word == "while" else ("past",)
        inner = self.deeds.clause(first, allowed=allowed, negative=0, time=0)
        main = self.deeds.clause(self._apart(first), allowed=("past", "past", "then") if word == "when" else ("past",), time=0.0, negative=0.1)
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
        japanese = before + (deed.japanese.dictionary + "前に" if word == "before" else deed.japanese.ta + "後で")
        main = replace(main, time=japanese + "、")
        english = f" {word} {deed.english.ing} {deed.english_rest}".rstrip()
        return self.registers.clause(main, after=english)

    def condition(self) -> Pair:
        """If: たら, from the plain past."""
        subject = self._first()
        if self.choose.chance(0.3):
            rain = self.choose.of((("rains", "雨が降ったら、"), ("snows", "雪が降ったら、")))
            when = self.choose.of(TIMES["future"]) if self.choose.chance(0.7) else None
            english = f"if it {rain[0]}{' ' + when.english if when else ''}, "
            japanese = (when.japanese if when else "") + rain[1]
            main = self.deeds.clause(subject, allowed=("future", "can", "want", "have to"), time=0, negative=0.3)
            return self.registers.clause(main, (english, japanese))
        if self.choose.chance(0.4):
            feeling = self.simple.feeling(past=False)
            if feeling.subject.english in {"he", "she", "they"}:
                return self.condition()
            english = f"if {feeling.statement}, "
            japanese = feeling.body("が") + feeling.predicate.plain(past=True, negative=feeling.negative) + "ら、"
            main = self.deeds.clause(self._apart(feeling.subject), allowed=("future", "can", "should"), time=0)
            return self.registers.clause(main, (english, japanese))
        inner = self.deeds.said(subject, self.deeds.deed(subject), PLANNED["present"], time=0, negative=0.2)
        main = self.deeds.clause(self._apart(subject), allowed=("future", "can", "have to"), time=0, negative=0.2)
        japanese = inner.body("が") + inner.predicate.plain(past=True, negative=inner.negative) + "ら、"
        return self.registers.clause(main, (f"if {inner.statement}, ", japanese))

    def any_clause(self) -> Clause:
        """A clause to be thought, heard or guessed."""
        kind = self.choose.of(("deed", "deed", "deed", "quality", "feeling"))
        if kind == "deed":
            return self.deeds.clause(self._first(), allowed=SITUATIONS)
        clause = self.simple.quality() if kind == "quality" else self.simple.feeling()
        return clause if clause.subject.gender != "I" else self.any_clause()

    def framed(self) -> Pair:
        """I think that, I hear that, perhaps."""
        english, plain, polite, form = self.choose.of(FRAMES)
        clause = self.any_clause()
        while english.startswith("I ") and clause.subject.gender == "I" or (clause.negative and "don't think" in english):
            clause = self.any_clause()
        topic = "は" if form in {"plain", "before guess"} and "whether" not in english or english.startswith("it seems") else "が"
        japanese = clause.japanese(form, topic)  # type: ignore[arg-type]
        return self.registers.statement(english + clause.statement, japanese + plain, japanese + polite)

    def quoted(self) -> Pair:
        """Tom says that ...: the quotation stays plain in a polite sentence."""
        speaker = self._first()
        clause = self.any_clause()
        if speaker.gender in {"I", "you"} or speaker.japanese in clause.subject.japanese or clause.subject.japanese in speaker.japanese:
            return self.quoted()
        if clause.subject.english in {"he", "she", "they"}:
            return self.quoted()
        verb, plain, japanese = self.choose.of((("say", "says", "言う"), ("think", "thinks", "思う"), ("believe", "believes", "信じる")))
        saying = Verb(japanese, "ichidan" if verb == "believe" else "godan").continuing()
        form = plain if speaker.person is Person.SINGULAR else verb
        body = f"{speaker.japanese}は{clause.japanese('plain', 'が')}と"
        return self.registers.statement(
            f"{speaker.english} {form} that {clause.statement}", body + saying.plain(), body + saying.polite()
        )

    def cleft(self) -> Pair:
        """It was Tom who broke the window: 窓を割ったのはトムだ."""
        name = self.choose.of((self.phrases.name, self.phrases.relative))()
        hidden = NounPhrase("who", "", gender=name.gender)
        clause = self.deeds.clause(hidden, allowed=("past",), negative=0)
        body = clause.body() + clause.ending("before noun") + "のは" + name.japanese
        return self.registers.statement(f"it was {name.english} {clause.statement}", body + "だ", body + "です")

    def purpose(self) -> Pair:
        """Going somewhere to do something: stem + に."""
        subject = self.phrases.subject()
        action = self.choose.of([entry for entry in ACTIONS if entry.places and entry.english.base in PURPOSES])
        place = self.choose.of([entry for entry in action.places if entry.english not in {"the train"}])
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
        return self.registers.clause(self.deeds.said(subject, trip, mode, negative=0.0 if deed.number else 0.1, time=0.5))
