"""Special spaces become spaces, zero-width characters are dropped, and joiners are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from nmt_lstm.text.invisible_characters import invisible_characters, without_invisible_characters


@pytest.mark.parametrize(
    "space",
    ["\u00a0", "\u202f", "\u205f", *map(chr, range(0x2000, 0x200B))],
    ids=lambda space: hex(ord(space)),
)
def test_special_spaces_become_spaces(space) -> None:
    assert invisible_characters(f"Quoi{space}?")
    assert without_invisible_characters(f"Quoi{space}?") == "Quoi ?"


@pytest.mark.parametrize(
    "character", ["\u200b", "\u00ad", "\ufeff", "\u2060"], ids=lambda mark: hex(ord(mark))
)
def test_zero_width_characters_are_dropped(character) -> None:
    assert invisible_characters(f"Wort{character}teil")
    assert without_invisible_characters(f"Wort{character}teil") == "Wortteil"


@pytest.mark.parametrize(
    "text",
    ["می\u200cخواهم", "क\u094d\u200dष", "👩\u200d🔬", "plain text", "ß – „quoted“", "", "\u3042\u3000\u3044"],
)
def test_joiners_and_plain_text_are_kept(text) -> None:
    assert not invisible_characters(text)
    assert without_invisible_characters(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("one\u3000two", "one two"),
        ("\u3000one\u3000\u3000two\u3000", " one two "),
        ("\u3000日本語です。", "\u3000日本語です。"),
        ("山田\u3000太郎", "山田\u3000太郎"),
        ("東京\u3000\u3000Tokyo", "東京\u3000\u3000Tokyo"),
        ("Tokyo\u3000東京", "Tokyo\u3000東京"),
        ("「はい」\u3000「いいえ」", "「はい」\u3000「いいえ」"),
        ("한국\u3000中文", "한국\u3000中文"),
        ("one\u200b\u3000two", "one two"),
        ("日\u200b\u3000two", "日\u3000two"),
    ],
)
def test_the_ideographic_space_is_kept_next_to_east_asian_characters(text, plain) -> None:
    assert without_invisible_characters(text) == plain


@given(strategies.text(alphabet="aé日 \u3000\u00a0\u200b\u00ad\u200d\n", max_size=30))
def test_normalising_twice_changes_nothing(text) -> None:
    plain = without_invisible_characters(text)
    assert not invisible_characters(plain)
    assert without_invisible_characters(plain) == plain
