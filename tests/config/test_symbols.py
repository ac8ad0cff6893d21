"""Symbols that no text could contain, or that mean something else, are refused with a reason."""

from __future__ import annotations

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.config.symbols import MAX_LENGTH, MAX_SYMBOLS, check_symbols
from nmt_lstm.errors import ConfigurationError


def test_possible_symbols_are_returned() -> None:
    symbols = ["<b>", "</b>", "{name}", "<2fr>", "％s", 'a,"b"', "x" * MAX_LENGTH]
    assert check_symbols(symbols) == symbols


@pytest.mark.parametrize(
    ("symbols", "word"),
    [
        ([""], "characters"),
        (["x" * (MAX_LENGTH + 1)], "characters"),
        (["<b>", "<i>", "<b>"], "twice"),
        (["<s>"], "special"),
        (["<0x41>"], "special"),
        (["a b"], "U\\+0020"),
        (["a\tb"], "U\\+0009"),
        (["a\u200bb"], "U\\+200B"),
        (["a\u2581"], "U\\+2581"),
        (["e\u0301"], "normal form"),
        ([str(number) for number in range(MAX_SYMBOLS + 1)], "at most"),
    ],
)
def test_impossible_symbols_are_refused(symbols, word) -> None:
    with pytest.raises(ValueError, match=word):
        check_symbols(symbols)


def test_the_setting_is_named() -> None:
    values = {"data": {"train_source": "a", "train_target": "b"}}
    with pytest.raises(ConfigurationError, match=r"subwords\.user_defined_symbols.*special"):
        make_run(values, ['subwords.user_defined_symbols=["<unk>"]'])
