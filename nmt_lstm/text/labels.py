"""Labels of texts, as in classification: each is one piece of the target vocabulary, so that it is prepared like any text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import DataError, nearest
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.piece_records import byte_model
from nmt_lstm.text.special_pieces import SPECIAL_PIECES
from nmt_lstm.text.subwords import Subwords, read_subwords, train_subwords
from nmt_lstm.text.text_form import SPACE, TextForm
from nmt_lstm.text.validation_text import ValidationText
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
]

FIRST_LABEL = len(SPECIAL_PIECES)
"""The number of the first label among the pieces."""
MAX_LABELS = 1_000
"""More labels are rather the other column of a file."""
# A model of bytes has the 256 bytes and a space besides, which spell a label that is not known.
_OTHER_PIECES = FIRST_LABEL + 257


def label_vocabulary(labels: Iterable[str], form: TextForm) -> Vocabulary:
    """Return a vocabulary with a piece for each label, in alphabetical order.

    Args:
        labels: those of the training text, in any order, blank and repeated ones included.
        form: how text is written before it is split.

    Raises:
        DataError: there are too many or too few different labels, or one cannot be a piece.
    """
    known: set[str] = set()
    for label in labels:
        if label.strip():
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
    # As symbols, labels stay as they are in every form of text.
    vocabulary = Vocabulary(byte_model([SPACE + name.replace(" ", SPACE) for name in names]), form=form)
    for number, name in enumerate(names):
        if vocabulary.encode(name) != [FIRST_LABEL + number]:
            raise DataError(f"the label '{name}' cannot be told from others; rename it.", value=name)
    return vocabulary


def subwords_with_labels(
    pairs: Callable[[], Iterable[tuple[str, str]]], settings: SubwordSettings, count: int, seed: int
) -> Subwords:
    """Return the vocabularies of texts, learnt or read, and of their labels; the arguments are those of `train_subwords`.

    Raises:
        DataError: there are too many or too few labels, or a vocabulary cannot be read or learnt.
    """
    if settings.model is not None:
        is_pair = (settings.model / "subwords.source.model").exists()
        texts = read_subwords(settings.model, settings, paired=is_pair).source
    else:
        texts = train_subwords(
            lambda: ((source, source) for source, _ in pairs()),
            settings,
            count,
            seed,
            paired=False,
        ).source
    return Subwords(texts, label_vocabulary((label for _, label in pairs()), TextForm.of(settings)), False)


def check_labels(labels: Iterable[str], known: Sequence[str], name: str) -> None:
    """Check that all labels are known.

    Args:
        labels: those of a text, line by line.
        known: the labels of the training text.
        name: the text, for messages.

    Raises:
        DataError: a label is not, or a line has none.
    """
    for number, label in enumerate(labels, 1):
        if label.strip() not in known:
            problem = f"has the label '{label.strip()[:80]}'" if label.strip() else "has no label"
            raise DataError(
                f"line {number:,} of '{name}' {problem}; those of the training text are {', '.join(known[:10])}"
                f"{', ...' if len(known) > 10 else ''}.{nearest(label.strip(), known)}",
                line=number,
                value=label,
                known=known,
            )


def check_validation_labels(sets: Iterable[ValidationText], subwords: Subwords) -> None:
    """Check the labels of validation sets; see `check_labels`."""
    for each in sets:
        check_labels(each.target, labels_of(subwords.target), each.name)


def label_count(size: int) -> int:
    """Return the number of labels in a vocabulary of so many pieces."""
    return size - _OTHER_PIECES


def labels_of(vocabulary: Vocabulary) -> list[str]:
    """Return the labels of a vocabulary in the order of their pieces."""
    return [vocabulary.decode([FIRST_LABEL + number]) for number in range(label_count(vocabulary.size))]
