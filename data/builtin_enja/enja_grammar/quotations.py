"""What is thought, said, heard and guessed: the inner clause stays plain whatever the register."""

from __future__ import annotations

from .choice import Chooser
from .clauses import Clause
from .descriptions import Descriptions
from .english import Person
from .inflection import Verb
from .registers import Pair
from .sentence_maker import SentenceMaker

__all__ = ["Quotations"]

# English before the clause, Japanese behind it (plain, polite), the form that the clause takes, and its particle.
FRAMES = [
    ("I think that ", "と思う", "と思います", "plain"),
    ("I don't think that ", "とは思わない", "とは思いません", "plain"),
    ("I hear that ", "そうだ", "そうです", "plain"),
    ("perhaps ", "かもしれない", "かもしれません", "before guess"),
    ("I am sure that ", "に違いない", "に違いありません", "before guess"),
    ("it seems that ", "ようだ", "ようです", "before noun"),
    ("I don't know whether ", "かどうか分からない", "かどうか分かりません", "before guess"),
    ("I was surprised that ", "ので驚いた", "ので驚きました", "explained"),
    ("it is true that ", "のは本当だ", "のは本当です", "explained"),
    ("I knew that ", "ことを知っていた", "ことを知っていました", "before noun"),
]
SITUATIONS = ("past", "past", "present", "future", "now", "can", "already")


class Quotations(SentenceMaker):
    """Makes sentences with a clause as their object."""

    def __init__(self, choose: Chooser) -> None:
        super().__init__(choose)
        self.descriptions = Descriptions(choose)

    def any_clause(self) -> Clause:
        """A clause to be thought, heard or guessed."""
        kind = self.choose.of(("deed", "deed", "deed", "quality", "feeling"))
        if kind == "deed":
            return self.deeds.clause(self.first(), allowed=SITUATIONS)
        clause = self.descriptions.quality() if kind == "quality" else self.descriptions.feeling()
        return clause if clause.subject.gender != "I" else self.any_clause()

    def framed(self) -> Pair:
        """I think that, I hear that, perhaps."""
        english, plain, polite, form = self.choose.of(FRAMES)
        clause = self.any_clause()
        while (
            english.startswith("I ")
            and clause.subject.gender == "I"
            or (clause.negative and "don't think" in english)
        ):
            clause = self.any_clause()
        topic = (
            "は"
            if form in {"plain", "before guess"}
            and "whether" not in english
            or english.startswith("it seems")
            else "が"
        )
        japanese = clause.japanese(form, topic)  # type: ignore[arg-type]
        return self.registers.statement(english + clause.statement, japanese + plain, japanese + polite)

    def quoted(self) -> Pair:
        """Tom says that ...: the quotation stays plain in a polite sentence."""
        speaker = self.first()
        clause = self.any_clause()
        if (
            speaker.gender in {"I", "you"}
            or speaker.japanese in clause.subject.japanese
            or clause.subject.japanese in speaker.japanese
        ):
            return self.quoted()
        if clause.subject.english in {"he", "she", "they"}:
            return self.quoted()
        verb, plain, japanese = self.choose.of(
            (("say", "says", "言う"), ("think", "thinks", "思う"), ("believe", "believes", "信じる"))
        )
        saying = Verb(japanese, "ichidan" if verb == "believe" else "godan").continuing()
        form = plain if speaker.person is Person.SINGULAR else verb
        body = f"{speaker.japanese}は{clause.japanese('plain', 'が')}と"
        return self.registers.statement(
            f"{speaker.english} {form} that {clause.statement}", body + saying.plain(), body + saying.polite()
        )
