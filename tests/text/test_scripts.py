"""Letters tell scripts apart, and languages have scripts."""

from __future__ import annotations

import pytest

from nmt_lstm.text.scripts import letter_scripts, scripts_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("犬はコーヒーを飲む。", {"CJK": 2, "HIRAGANA": 3, "KATAKANA": 2}),
        ("ｶﾀｶﾅ", {"KATAKANA": 4}),
        ("ＡＢ été ª", {"LATIN": 6}),
        ("Привет, мир", {"CYRILLIC": 9}),
        ("안녕", {"HANGUL": 2}),
        ("12 % 。", {}),
    ],
)
def test_letters_are_counted_by_script(text, expected) -> None:
    assert letter_scripts([text]) == expected


def test_the_scripts_of_a_language() -> None:
    assert "HIRAGANA" in scripts_of("ja")
    assert scripts_of("pt-BR") == scripts_of("en_GB") == {"LATIN"}
    assert scripts_of("") == scripts_of("xx") == scripts_of("sr") == scripts_of("zh-Latn") == set()
