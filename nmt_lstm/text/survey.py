"""One look at all training text before it is prepared: how many pairs and characters it has, and whether it is usable."""

from __future__ import annotations

from typing import NamedTuple

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.cleaning import PairSet
from nmt_lstm.text.corpus import TextCounts, check_usable, read_parallel

__all__ = ["TextSize", "survey"]


class TextSize(NamedTuple):
    """How large a text is, without the pairs that are excluded."""

    pairs: int
    source_characters: int
    target_characters: int


def survey(data: DataSettings, excluded: PairSet) -> TextSize:
    """Return the size of the training text.

    Raises:
        DataError: it cannot be read, or has no text on a side.
    """
    pairs, blank, source_characters, target_characters = 0, 0, 0, 0
    for corpus in data.training_corpora():
        all_pairs, included = TextCounts(), TextCounts()
        for source, target in read_parallel(*corpus.sides()):
            all_pairs.add(source, target)
            if excluded:
                if excluded.holds(source, target):
                    continue
                included.add(source, target)
            source_characters += len(source)
            target_characters += len(target)
        rules = corpus.rules(data.cleaning)
        if rules.enabled and rules.drop_empty:
            check_usable(*corpus.sides(), all_pairs)
        counted = included if excluded else all_pairs
        pairs += counted.pairs
        blank += counted.blank
    if blank == pairs:
        paths = data.training_files()
        names = " and ".join(f"'{path}'" for path in paths)
        hold = "hold" if len(paths) > 1 else "holds"
        raise DataError(f"{names} {hold} only empty lines; nothing can be learnt from them.", path=paths[0])
    return TextSize(pairs, source_characters, target_characters)
