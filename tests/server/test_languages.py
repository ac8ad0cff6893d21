"""Codes and names of languages."""

from __future__ import annotations

from nmt_lstm.server.languages import language_name, same_language


def test_codes_of_one_language_are_equal() -> None:
    assert same_language("PT_br", ["en", "pb"]) == "pb"
    assert same_language("zh-Hans", ["zh"]) == "zh"
    assert same_language("zh", ["zt"]) is None
    assert same_language("en-US", ["en"]) is None
    assert language_name("pt-BR") == "Portuguese (Brazil)"
    assert language_name("de") == "German"
    assert language_name("de-AT") == "German"
    assert language_name("qq") == "qq"
