"""Endings of whole sentences: the English cue (sir, Mr. Tanaka, you know) decides whether Japanese is plain or polite."""

from __future__ import annotations

from .choice import Chooser
from .clauses import Clause
from .english import sentence_case
from .nouns import SURNAMES

__all__ = ["Pair", "Registers"]

Pair = tuple[str, str]


class Registers:
    """Ends sentences by chance in one register."""

    def __init__(self, choose: Chooser) -> None:
        self.choose = choose

    def _address(self) -> tuple[str, str]:
        """Somebody spoken to politely."""
        english, japanese = self.choose.of(SURNAMES)
        title = self.choose.of(("Mr.", "Ms."))
        return f"{title} {english}", f"{japanese}さん"

    def statement(self, english: str, plain: str, polite: str) -> Pair:
        """A statement."""
        kind = self.choose.weighted([(62, "plain"), (16, "sir"), (12, "address"), (10, "you know")])
        if kind == "plain":
            return sentence_case(english) + ".", plain + "。"
        if kind == "sir":
            return sentence_case(english) + self.choose.of((", sir.", ", ma'am.")), polite + "。"
        if kind == "address":
            name, japanese = self._address()
            return f"{name}, {english}.", f"{japanese}、{polite}。"
        return sentence_case(english) + ", you know.", plain + "よ。"

    def question(self, english: str, explained: str, polite: str) -> Pair:
        """A question: の？ among friends, か when polite; `explained` is the form before の."""
        kind = self.choose.weighted([(6, "plain"), (1.5, "sir"), (1.5, "excuse"), (1, "address")])
        if kind == "plain":
            return sentence_case(english) + "?", explained + "の？"
        if kind == "sir":
            return sentence_case(english) + self.choose.of((", sir?", ", ma'am?")), polite + "か。"
        if kind == "excuse":
            return f"Excuse me, {english}?", f"すみません、{polite}か。"
        name, japanese = self._address()
        return f"{name}, {english}?", f"{japanese}、{polite}か。"

    def clause(self, clause: Clause, before: Pair = ("", ""), after: str = "") -> Pair:
        """A clause as a statement, with something before it in both languages or behind it in English alone."""
        return self.statement(
            before[0] + clause.statement + after,
            before[1] + clause.japanese("plain"),
            before[1] + clause.japanese("polite"),
        )

    def asked(self, clause: Clause, question_word: str = "") -> Pair:
        """A clause as a question, perhaps with a question word in front in English."""
        english = f"{question_word} {clause.question}".strip()
        return self.question(english, clause.japanese("explained"), clause.japanese("polite"))
