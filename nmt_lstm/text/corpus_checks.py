"""Signs of wrong training or validation text: a wrong file, exchanged sides, tokenised text."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.config.text_schema import ParallelSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.misalignment import lengths_are_unrelated
from nmt_lstm.text.processing_signs import FEW, MOST, lines_text, processing_signs
from nmt_lstm.text.tags import tag_warnings
from nmt_lstm.text.text_file import read_lines

__all__ = ["corpus_warnings"]

# Lines that are checked at the beginning of each file; enough for any size of corpus.
SAMPLE = 5_000
PROFILED = 1_000
# With fewer lines, a side may resemble the wrong language by chance.
MIN_PROFILED_LINES = 10
# Factor by which exchanged sides must be more similar. Measured on German-English text: 4.1 if the sides of the
# validation text are exchanged, 0.24 if they are not; languages without common letters differ more.
CLEARLY_MORE = 1.3


def corpus_warnings(data: DataSettings) -> list[str]:
    """Return a sentence, with advice, for each sign that a text is wrong.

    Args:
        data: the paths of the text.

    Raises:
        ConfigurationError: a tag is a part of the text itself.
        DataError: a file cannot be read, or a side of the validation text is blank.
    """
    warnings: list[str] = []
    corpora = [(corpus.tag, _Sample.read(corpus)) for corpus in data.training_corpora()]
    sets = [(each.tag, _Sample.read(each)) for each in data.validation_sets()]
    for _, valid in sets:
        valid.check_not_blank()
    for _, text in (*corpora, *sets):
        warnings += text.signs()
    warnings += tag_warnings(
        data, [text.sides[0] for _, text in corpora], [text.sides[0] for _, text in sets]
    )
    if data.targets != "labels":
        warnings += [warning for _, text in (*corpora, *sets) for warning in text.unrelated()]
    equal_sides = [warning for _, text in corpora for warning in text.same_sides()]
    # Validation text that is held out of a text with two equal sides has equal sides, too.
    warnings += equal_sides or [warning for _, text in sets for warning in text.same_sides()]
    for tag, valid in sets:
        warnings += valid.half_empty()
        # Text of a different direction, which has a different tag, resembles the other side.
        related = [text for other, text in corpora if other == tag] or [text for _, text in corpora]
        warnings += valid.mistaken(related) if related else []
    return warnings


class _Sample(NamedTuple):
    """The first lines of a text."""

    paths: tuple[tuple[Path, ...], ...]
    """The files of its sides: two, or one in text without pairs."""
    sides: tuple[list[str], ...]

    @classmethod
    def read(cls, text: ParallelSettings) -> _Sample:
        source, target = text.sides()
        paths = (source,) if target is None else (source, target)
        return cls(paths, tuple(_sample(side) for side in paths))

    @property
    def names(self) -> list[str]:
        """Its sides in messages."""
        return [_name(side) for side in self.paths]

    def check_not_blank(self) -> None:
        """Raise DataError if a side has no text."""
        for name, lines in zip(self.names, self.sides, strict=True):
            if len(lines) < SAMPLE and not any(line.strip() for line in lines):
                raise DataError(
                    f"'{name}' holds only blank lines; there is nothing to validate on.",
                    path=self.paths[0][0],
                )

    def signs(self) -> list[str]:
        """Return a warning for each sign of processed text."""
        return [
            f"'{name}': {sign}"
            for name, lines in zip(self.names, self.sides, strict=True)
            for sign in processing_signs(lines)
        ]

    def same_sides(self) -> list[str]:
        """Return a warning if both sides are the same text."""
        if len(self.sides) == 1:
            return []
        (one, other), names, sides = (side[0] for side in self.paths), self.names, self.sides
        if one == other or (one.exists() and other.exists() and one.samefile(other)):
            return [
                f"'{names[0]}' is both sides of the text, so the model would learn to copy; give its translation as well."
            ]
        same = sum(one == other for one, other in zip(*sides, strict=False) if one.strip())
        if same <= MOST * len(sides[0]):
            return []
        return [
            f"{lines_text(same)} the same in '{names[0]}' and '{names[1]}'; are these two sides of one text?"
        ]

    def unrelated(self) -> list[str]:
        """Return a warning if the lines of the two sides do not seem to be translations of each other."""
        if len(self.sides) == 1:
            return []
        lengths = ((len(one.strip()), len(other.strip())) for one, other in zip(*self.sides, strict=False))
        if not lengths_are_unrelated(lengths):
            return []
        names = " and ".join(f"'{name}'" for name in self.names)
        sign = f"{names} do not seem to be translations of each other, since their line lengths are unrelated"
        return [f"{sign}; is a side shifted, sorted or from a different text?"]

    def half_empty(self) -> list[str]:
        """Return a warning if many lines have text on one side only."""
        numbers = [
            number
            for number, lines in enumerate(zip(*self.sides, strict=False), 1)
            if len({bool(line.strip()) for line in lines}) > 1
        ]
        if len(numbers) <= FEW * len(self.sides[0]):
            return []
        names = " or only in ".join(f"'{name}'" for name in self.names)
        return [
            f"{lines_text(len(numbers))} blank only in {names}, first line {numbers[0]:,}; they lower the validation scores."
        ]

    def mistaken(self, training: Sequence[_Sample]) -> list[str]:
        """Return a warning if this validation text is the training text, or seems to have exchanged sides."""
        names = self.names
        quoted = " and ".join(f"'{name}'" for name in names)
        if any(self.sides == text.sides for text in training):
            begin = "begin" if len(names) > 1 else "begins"
            sign = f"{quoted} {begin} like the training text; validate on text that is not trained on"
            return [f"{sign}, or the scores mean nothing."]
        if len(self.sides) == 2 and _exchanged(_joined(training), (self.sides[0], self.sides[1])):
            others = training[0].names
            signs = f"'{names[0]}' resembles '{others[1]}', and '{names[1]}' resembles '{others[0]}'"
            return [f"the sides of the validation text seem to be exchanged: {signs}."]
        return []


def _joined(texts: Sequence[_Sample]) -> tuple[list[str], list[str]]:
    source, target = ([line for text in texts for line in text.sides[number]] for number in range(2))
    return source, target


def _name(side: Sequence[Path]) -> str:
    return str(side[0]) if len(side) == 1 else f"{side[0]}' and {len(side) - 1} more, '{side[-1]}"


def _sample(side: Sequence[Path]) -> list[str]:
    return list(itertools.islice(itertools.chain.from_iterable(map(read_lines, side)), SAMPLE))


def _exchanged(train: tuple[list[str], list[str]], valid: tuple[list[str], list[str]]) -> bool:
    """Whether each side of the validation text resembles the other side of the training text."""
    if min(map(len, (*train, *valid))) < MIN_PROFILED_LINES:
        return False
    (train_source, train_target), (valid_source, valid_target) = (
        [_profile(lines) for lines in sides] for sides in (train, valid)
    )
    straight = _similarity(valid_source, train_source) + _similarity(valid_target, train_target)
    crossed = _similarity(valid_source, train_target) + _similarity(valid_target, train_source)
    return crossed > CLEARLY_MORE * straight


def _profile(lines: Sequence[str]) -> Counter[str]:
    """Count character trigrams, which distinguish languages and scripts without knowing their words."""
    counts: Counter[str] = Counter()
    for line in lines[:PROFILED]:
        text = f" {line.strip().lower()} "
        counts.update(text[start : start + 3] for start in range(len(text) - 2))
    return counts


def _similarity(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Return the cosine similarity of two profiles."""
    product = sum(count * other.get(trigram, 0) for trigram, count in one.items())
    norms = math.hypot(*one.values()) * math.hypot(*other.values())
    return product / norms if norms else 0.0
