"""The words of a text by frequency, for vocabularies of whole words.

SentencePiece's own trainer for words loses those that stand before a user-defined symbol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

__all__ = ["frequent_words"]

# Words that occur once are spelled in bytes, so that the network learns to read and write unknown words.
MIN_COUNT = 2
# When so many words are counted, those that occurred once are forgotten.
MAX_COUNTED = 5_000_000


def frequent_words(lines: Iterable[str], symbols: Sequence[str]) -> list[str]:
    """Return the words that occur more than once, the most frequent one first; all of them if none does.

    Args:
        lines: text in which units are separated by spaces (`nmt_lstm.text.word_splitting`).
        symbols: units that are not words.
    """
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line.split(" "))
        if len(counts) > MAX_COUNTED:
            counts = Counter({word: count for word, count in counts.items() if count >= MIN_COUNT})
    for unit in ("", *symbols):
        del counts[unit]
    words = [word for word, count in counts.items() if count >= MIN_COUNT] or list(counts)
    # The order of equally frequent words must not depend on that of the text.
    return sorted(words, key=lambda word: (-counts[word], word))
