"""Where words of Japanese may begin."""

from __future__ import annotations

import pytest

from nmt_lstm.text.japanese_words import begins_word, has_kana


@pytest.mark.parametrize(
    "text", ["海辺|に|学生|は|いない。", "エミ|は|先週|の|金曜日|に|スープ|を|作った", "A|犬|が|走る"]
)
def test_words_begin_where_hiragana_end_and_particles_where_they_begin(text) -> None:
    words = text.replace("は|い", "はい").split("|")
    joined = "".join(words)
    ends = {sum(map(len, words[:count])) for count in range(1, len(words))}
    found = {index for index in range(1, len(joined)) if begins_word(joined[index - 1], joined[index])}
    assert found - {joined.find("。")} == ends


def test_a_text_with_kana_is_japanese() -> None:
    assert [has_kana(text) for text in ("海辺に", "スープ", "海边", "sea")] == [True, True, False, False]
