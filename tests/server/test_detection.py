"""Which of the served languages a text is in."""

from __future__ import annotations

from nmt_lstm.server.detection import CERTAIN, LanguageDetector


def test_a_language_is_certain_only_if_the_text_says_enough() -> None:
    detector = LanguageDetector(["en", "de", "ja"])
    for code, text in (
        ("en", "Two men are sitting at a table."),
        ("de", "Zwei Männer sitzen an einem Tisch."),
        ("ja", "トムは背が高い。"),
    ):
        found = detector.certainly(text)
        assert found is not None
        assert (found.language, found.confidence >= CERTAIN) == (code, True)
    assert detector.certainly("A") is None
    assert detector.certainly("12:30") is None
    assert detector.certainly("") is None
