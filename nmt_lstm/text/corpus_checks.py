"""Signs that training or validation text is not what it should be: a wrong file, exchanged sides, tokenised text."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus import read_lines
from nmt_lstm.text.processing_signs import FEW, MOST, lines_text, processing_signs

__all__ = ["corpus_warnings"]

# Lines looked at from the beginning of each file: enough to tell, whatever the size of the corpus.
SAMPLE = 5_000
PROFILED = 1_000
# Sides of fewer lines may resemble the wrong language by chance.
FEWEST_PROFILED = 10
# How much more alike sides must be when they are exchanged. Measured on German-English text: 4.1 where the sides of the
# validation text were exchanged, 0.24 where they were not; languages without common letters are further apart.
CLEARLY_MORE = 1.3


def corpus_warnings(data: DataSettings) -> list[str]:
    """Return a sentence, with what to do, for each sign that a text is not what it should be.

    Args:
        data: where the text is.

    Raises:
        DataError: a file cannot be read, or a side of the validation text is blank.
    """
    train_paths, valid_paths = (data.train_source, data.train_target), data.validation_text()
    train = _sample(data.train_source), _sample(data.train_target)
    valid = _sample(valid_paths[0]), _sample(valid_paths[1])
    for path, lines in zip(valid_paths, valid, strict=True):
        if len(lines) < SAMPLE and not any(line.strip() for line in lines):
            raise DataError(f"'{path}' holds only blank lines; there is nothing to validate on.")
    found = [
        f"'{path}': {sign}"
        for path, lines in zip((*train_paths, *valid_paths), (*train, *valid), strict=True)
        for sign in processing_signs(lines)
    ]
    # What is held out of a text with two equal sides has equal sides, too.
    found += _same_sides(train_paths, train) or _same_sides(valid_paths, valid)
    found += _half_empty(valid_paths, valid)
    if train == valid:
        found.append(
            f"'{valid_paths[0]}' and '{valid_paths[1]}' begin as the training text does; validation must be on text "
            f"that is not trained on, or its scores say nothing."
        )
    elif _exchanged(train, valid):
        found.append(
            f"the sides of the validation text seem to be exchanged: '{valid_paths[0]}' resembles '{train_paths[1]}', and "
            f"'{valid_paths[1]}' resembles '{train_paths[0]}'."
        )
    return found


def _sample(path: Path) -> list[str]:
    return list(itertools.islice(read_lines(path), SAMPLE))


def _same_sides(paths: tuple[Path, Path], sides: tuple[list[str], list[str]]) -> list[str]:
    if paths[0].exists() and paths[0].samefile(paths[1]):
        return [
            f"'{paths[0]}' is named as both sides of the text, so the model learns to copy; name its translation."
        ]
    same = sum(one == other for one, other in zip(*sides, strict=False) if one.strip())
    if same <= MOST * len(sides[0]):
        return []
    return [
        f"{lines_text(same)} the same in '{paths[0]}' and '{paths[1]}'; are these the two sides of the text?"
    ]


def _half_empty(paths: tuple[Path, Path], sides: tuple[list[str], list[str]]) -> list[str]:
    numbers = [
        number
        for number, (one, other) in enumerate(zip(*sides, strict=False), 1)
        if bool(one.strip()) != bool(other.strip())
    ]
    if len(numbers) <= FEW * len(sides[0]):
        return []
    sign = (
        f"{lines_text(len(numbers))} blank in '{paths[0]}' or '{paths[1]}' alone, first line {numbers[0]:,}; each lowers "
        f"the validation scores."
    )
    return [sign]


def _exchanged(train: tuple[list[str], list[str]], valid: tuple[list[str], list[str]]) -> bool:
    """Whether each side of the validation text resembles the other side of the training text."""
    if min(map(len, (*train, *valid))) < FEWEST_PROFILED:
        return False
    (train_source, train_target), (valid_source, valid_target) = (
        [_profile(lines) for lines in sides] for sides in (train, valid)
    )
    own = _likeness(valid_source, train_source) + _likeness(valid_target, train_target)
    crossed = _likeness(valid_source, train_target) + _likeness(valid_target, train_source)
    return crossed > CLEARLY_MORE * own


def _profile(lines: Sequence[str]) -> Counter[str]:
    """Count trigrams of characters, which tell languages and scripts apart without knowing their words."""
    counts: Counter[str] = Counter()
    for line in lines[:PROFILED]:
        text = f" {line.strip().lower()} "
        counts.update(text[start : start + 3] for start in range(len(text) - 2))
    return counts


def _likeness(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Cosine of the angle between two profiles."""
    product = sum(count * other.get(trigram, 0) for trigram, count in one.items())
    norms = math.hypot(*one.values()) * math.hypot(*other.values())
    return product / norms if norms else 0.0
