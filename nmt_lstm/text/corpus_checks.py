"""Signs of wrong training or validation text: a wrong file, exchanged sides, tokenised text."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.processing_signs import FEW, MOST, lines_text, processing_signs
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
        DataError: a file cannot be read, or a side of the validation text is blank.
    """
    (source, target), (valid_source, valid_target) = data.training_text(), data.validation_text()
    if target is None or valid_target is None:
        return _warnings_of_one_side(source, valid_source)
    train_paths, valid_paths = (source, target), (valid_source, valid_target)
    train = _sample(source), _sample(target)
    valid = _sample(valid_source), _sample(valid_target)
    for path, lines in zip(valid_paths, valid, strict=True):
        _check_not_blank(path, lines)
    warnings = [
        f"'{path}': {sign}"
        for path, lines in zip((*train_paths, *valid_paths), (*train, *valid), strict=True)
        for sign in processing_signs(lines)
    ]
    # Validation text that is held out of a text with two equal sides has equal sides, too.
    warnings += _same_sides(train_paths, train) or _same_sides(valid_paths, valid)
    warnings += _half_empty(valid_paths, valid)
    if train == valid:
        warnings.append(_same_text(f"'{valid_paths[0]}' and '{valid_paths[1]}' begin"))
    elif _exchanged(train, valid):
        warnings.append(
            f"the sides of the validation text seem to be exchanged: '{valid_paths[0]}' resembles '{train_paths[1]}', and "
            f"'{valid_paths[1]}' resembles '{train_paths[0]}'."
        )
    return warnings


def _warnings_of_one_side(train_path: Path, valid_path: Path) -> list[str]:
    """Return the warnings about text without pairs."""
    train, valid = _sample(train_path), _sample(valid_path)
    _check_not_blank(valid_path, valid)
    warnings = [
        f"'{path}': {sign}"
        for path, lines in ((train_path, train), (valid_path, valid))
        for sign in processing_signs(lines)
    ]
    return [*warnings, _same_text(f"'{valid_path}' begins")] if train == valid else warnings


def _check_not_blank(path: Path, lines: Sequence[str]) -> None:
    if len(lines) < SAMPLE and not any(line.strip() for line in lines):
        raise DataError(f"'{path}' holds only blank lines; there is nothing to validate on.", path=path)


def _same_text(beginning: str) -> str:
    return f"{beginning} like the training text; validate on text that is not trained on, or the scores mean nothing."


def _sample(path: Path) -> list[str]:
    return list(itertools.islice(read_lines(path), SAMPLE))


def _same_sides(paths: tuple[Path, Path], sides: tuple[list[str], list[str]]) -> list[str]:
    if paths[0].exists() and paths[0].samefile(paths[1]):
        return [
            f"'{paths[0]}' is both sides of the text, so the model would learn to copy; give its translation as well."
        ]
    same = sum(one == other for one, other in zip(*sides, strict=False) if one.strip())
    if same <= MOST * len(sides[0]):
        return []
    return [f"{lines_text(same)} the same in '{paths[0]}' and '{paths[1]}'; are these two sides of one text?"]


def _half_empty(paths: tuple[Path, Path], sides: tuple[list[str], list[str]]) -> list[str]:
    numbers = [
        number
        for number, (one, other) in enumerate(zip(*sides, strict=False), 1)
        if bool(one.strip()) != bool(other.strip())
    ]
    if len(numbers) <= FEW * len(sides[0]):
        return []
    sign = (
        f"{lines_text(len(numbers))} blank only in '{paths[0]}' or only in '{paths[1]}', first line {numbers[0]:,}; "
        f"they lower the validation scores."
    )
    return [sign]


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
