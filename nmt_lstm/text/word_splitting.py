"""Words and punctuation marks as units separated by spaces, for vocabularies of whole words.

"Hund (klein)." becomes "Hund (￭ klein ￭) ￭.": the joiner stands where there was no space, as in OpenNMT's Tokenizer.
"""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache

from nmt_lstm.config.symbols import JOINER

__all__ = ["WordSplitter", "join_words"]

# What a joiner in the text becomes, since it would be removed when the units are joined.
_SUBSTITUTE = "■"
_JOINED = re.compile(f" ?{JOINER} ?")


class WordSplitter:
    """Separates words, punctuation marks and symbols by spaces, and joins them again.

    Args:
        symbols: parts of text that are units of their own.
    """

    def __init__(self, symbols: Sequence[str] = ()) -> None:
        self._symbols = frozenset(symbols)
        longest_first = [re.escape(symbol) for symbol in sorted(symbols, key=len, reverse=True)]
        self._ends = re.compile(f"({'|'.join([*longest_first, f'[{_punctuation()}]'])})")

    def write(self, text: str) -> str:
        """Return a text with a space between its units, and a joiner where there was none.

        Args:
            text: composed (NFC), on one line.
        """
        return " ".join(
            unit
            for part in text.replace(JOINER, _SUBSTITUTE).split(" ")
            if part
            for unit in self._units(part)
        )

    def read(self, text: str) -> str:
        """Return the text that was written so."""
        return join_words(text)

    def _units(self, part: str) -> list[str]:
        if part.isalnum() and not self._symbols:
            return [part]
        units = [unit for unit in self._ends.split(part) if unit]
        is_mark = [unit not in self._symbols and self._ends.fullmatch(unit) is not None for unit in units]
        written: list[str] = []
        for number, unit in enumerate(units):
            begins, ends = number == 0, number + 1 == len(units)
            # The joiner belongs to a mark, so that words and symbols are always written in the same way.
            if is_mark[number]:
                before = "" if begins else JOINER
                after = "" if ends or is_mark[number + 1] else JOINER
                written.append(f"{before}{unit}{after}")
            elif begins or is_mark[number - 1]:
                written.append(unit)
            else:
                written += [JOINER, unit]
        return written


def join_words(text: str) -> str:
    """Return a text without joiners and the spaces beside them."""
    return _JOINED.sub("", text)


@cache
def _punctuation() -> str:
    """Return the contents of a character class of all punctuation marks and symbols, as ranges, which are fast."""
    codes = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] in "PS"]
    ranges = []
    for _, run in itertools.groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        numbers = [code for _, code in run]
        ranges.append(f"{re.escape(chr(numbers[0]))}-{re.escape(chr(numbers[-1]))}")
    return "".join(ranges)
