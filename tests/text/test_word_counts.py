"""Frequent words come first, symbols are no words, and memory is bounded."""

from __future__ import annotations

from nmt_lstm.text import word_counts as module
from nmt_lstm.text.word_counts import frequent_words


def test_words_are_ordered_by_frequency_and_then_by_text() -> None:
    lines = ["⇧ b a c", "⇧ a b", "a d", ""]
    assert frequent_words(lines, ["⇧"]) == ["a", "b"]
    assert frequent_words(["b a", ""], []) == ["a", "b"]
    assert frequent_words(["⇧", ""], ["⇧"]) == []


def test_rare_words_are_forgotten_when_there_are_too_many(monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_COUNTED", 50)
    lines = [f"often word{number}" for number in range(500)]
    assert frequent_words(lines, []) == ["often"]
