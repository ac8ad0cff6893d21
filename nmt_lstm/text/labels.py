"""Labels of texts, as in classification: each is one piece of the target vocabulary, so that it is prepared like any text."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.config.schema_base import as_paths
from nmt_lstm.errors import DataError, nearest
from nmt_lstm.plain_text import count_of, printable
from nmt_lstm.text.piece_records import byte_model
from nmt_lstm.text.special_pieces import SPECIAL_PIECES
from nmt_lstm.text.subwords import Subwords, read_subwords, train_subwords
from nmt_lstm.text.text_file import read_texts, short_path
from nmt_lstm.text.text_form import SPACE, TextForm
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = [
    "FIRST_LABEL",
    "MAX_LABELS",
    "check_labels",
    "check_validation_labels",
    "label_count",
    "label_vocabulary",
    "labels_of",
    "subwords_with_labels",
    "texts_of",
]

FIRST_LABEL = len(SPECIAL_PIECES)
"""The number of the first label among the pieces."""
MAX_LABELS = 1_000
"""More labels are probably texts: the other column of the file."""
# A model of bytes has the 256 bytes and a space besides, which spell a label that is not known.
# Labels in a message, and their length there.
MAX_SHOWN = 10
MAX_SHOWN_LENGTH = 40
# More labels than this, and than so many for each text, may be the column of the texts.
MANY_LABELS = 50
MANY_PER_TEXT = 0.5
_OTHER_PIECES = FIRST_LABEL + 257

logger = logging.getLogger(__name__)


def label_vocabulary(labels: Iterable[str], form: TextForm) -> Vocabulary:
    """Return a vocabulary with a piece for each label, in alphabetical order.

    Args:
        labels: those of the training text, in any order, blank and repeated ones included.
        form: how text is written before it is split.

    Raises:
        DataError: there are too many or too few different labels, or one cannot be a piece.
    """
    known: set[str] = set()
    texts = 0
    for label in labels:
        if label.strip():
            texts += 1
            known.add(label.strip())
        if len(known) > MAX_LABELS:
            raise DataError(
                f"the training text has more than {MAX_LABELS:,} different labels, such as '{label[:40]}'; is this the column of "
                f"the texts? The first column is expected to have the labels; --columns changes that.",
                value=label,
            )
    if len(known) < 2:
        raise DataError(
            f"the training text has {count_of(len(known), 'label')}; at least two are needed to tell texts apart."
        )
    names = sorted(known)
    if len(names) > max(MANY_LABELS, MANY_PER_TEXT * texts):
        logger.warning(
            "%d training texts have %d different labels, such as '%s'. Is this the column of the texts?",
            texts, len(names), _shortened(names[0]),
        )  # fmt: skip
    # As symbols, labels stay as they are in every form of text.
    vocabulary = Vocabulary(byte_model([SPACE + name.replace(" ", SPACE) for name in names]), form=form)
    for number, name in enumerate(names):
        if vocabulary.encode(name) != [FIRST_LABEL + number]:
            raise DataError(f"the label '{name}' cannot be told from others; rename it.", value=name)
    return vocabulary


def subwords_with_labels(
    pairs: Callable[[], Iterable[tuple[str, str]]],
    labels: Vocabulary,
    settings: SubwordSettings,
    count: int,
    seed: int,
    *,
    characters: int = 0,
) -> Subwords:
    """Return the vocabularies of texts, learnt or read, and of their labels; other arguments are those of `train_subwords`.

    Args:
        pairs: opens the texts with their labels.
        labels: the vocabulary of the labels.
        settings: of the texts.
        count: number of texts.
        seed: of the sample.
        characters: of the texts.

    Raises:
        DataError: the vocabulary of the texts cannot be read or learnt.
    """
    if settings.model is not None:
        texts = texts_of(settings.model, settings)
    else:
        texts = train_subwords(
            lambda: ((source, source) for source, _ in pairs()),
            settings,
            count,
            seed,
            paired=False,
            characters=(characters, characters),
        ).source
    return Subwords(texts, labels, False)


def texts_of(path: Path, settings: SubwordSettings) -> Vocabulary:
    """Return the vocabulary of the texts from that of a model: the source side, if it has two.

    Raises:
        ConfigurationError: it does not suit the settings.
        DataError: it cannot be read.
    """
    is_pair = (path / "subwords.source.model").exists()
    return read_subwords(path, settings, paired=is_pair).source


def check_labels(texts: Path, labels: Path, known: Sequence[str]) -> None:
    """Check that all labels of a text are known.

    Args:
        texts: a file of texts, or a column.
        labels: the file of their labels, or the column.
        known: the labels of the training text.

    Raises:
        DataError: a label is not, or a line has none; or a file cannot be read.
    """
    for number, (text, label) in enumerate(zip(read_texts(texts), read_texts(labels), strict=True), 1):
        if text is None or label is None or label.strip() in known:  # an unusual number of columns
            continue
        name = label.strip()
        shown = [printable(_shortened(each)) for each in known[:MAX_SHOWN]]
        problem = (
            f"has the label '{printable(_shortened(name))}', which no training text has; correct it, leave the line out, or "
            f"train with such texts.{nearest(name, known)}"
            if name
            else "has no label; add it, or leave the line out."
        )
        raise DataError(
            f"line {number:,} of '{short_path(labels)}' {problem} Known labels: {', '.join(shown)}"
            f"{', ...' if len(known) > len(shown) else '.'}",
            path=labels,
            line=number,
            value=label,
            known=known,
        )


def check_validation_labels(data: DataSettings, known: Sequence[str]) -> None:
    """Check the labels of validation sets; see `check_labels`."""
    for each in data.validation_sets():
        for texts, labels in zip(*map(as_paths, each.sides()), strict=True):
            check_labels(texts, labels, known)


def _shortened(label: str) -> str:
    return label if len(label) <= MAX_SHOWN_LENGTH else f"{label[: MAX_SHOWN_LENGTH - 3]}..."


def label_count(size: int) -> int:
    """Return the number of labels in a vocabulary of this many pieces."""
    return size - _OTHER_PIECES


def labels_of(vocabulary: Vocabulary) -> list[str]:
    """Return the labels of a vocabulary in the order of their pieces."""
    return [vocabulary.decode([FIRST_LABEL + number]) for number in range(label_count(vocabulary.size))]
