"""Subwords: SentencePiece vocabularies, one for both languages or one each."""

from __future__ import annotations

import functools
import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sentencepiece

from nmt_lstm.config.defaults import vocabulary_size
from nmt_lstm.config.piece_kinds import PIECE_KINDS
from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.text.piece_records import SPACE, byte_model, word_model
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, UNKNOWN
from nmt_lstm.text.text_form import TextForm
from nmt_lstm.text.vocabulary import Vocabulary
from nmt_lstm.text.vocabulary_sample import sample, sample_share
from nmt_lstm.text.word_counts import frequent_words

__all__ = ["Subwords", "Vocabulary", "different_size", "load_subwords", "read_subwords", "train_subwords"]

logger = logging.getLogger(__name__)

# Fixed, because the model depends on the number of threads through the order of summation.
TRAINER_THREADS = 4
# After a size too small for the characters of a text, the next one may be larger than the text supports.
MAX_SIZES = 4
# More characters than scripts have together, and how many whole words stand for one subword.
MAX_CHARACTERS = 200_000
WORDS_PER_SUBWORD = 3
# Special pieces, bytes, a space and a few more: SentencePiece does not say how many it needs.
MIN_SIZE = 280
PLAIN = TextForm()


@dataclass(frozen=True)
class Subwords:
    """The vocabularies of both sides, which are the same object if they are joint."""

    source: Vocabulary
    target: Vocabulary
    joint: bool

    def save(self, folder: Path) -> None:
        """Write subwords.joint.model, or subwords.source.model and subwords.target.model."""
        if self.joint:
            self.source.save(folder / "subwords.joint.model")
        else:
            self.source.save(folder / "subwords.source.model")
            self.target.save(folder / "subwords.target.model")

    @classmethod
    def load(cls, folder: Path, *, form: TextForm = PLAIN) -> Subwords:
        """Return the vocabularies in `folder`; `form` is that of the run's `subwords`.

        Raises:
            DataError: a file is missing or invalid.
        """
        joint = folder / "subwords.joint.model"
        if joint.exists():
            vocabulary = Vocabulary.load(joint, form=form)
            return cls(vocabulary, vocabulary, True)
        source, target = (
            Vocabulary.load(folder / f"subwords.{side}.model", form=form) for side in ("source", "target")
        )
        return cls(source, target, False)


def load_subwords(folder: Path, settings: SubwordSettings) -> Subwords:
    """Return the vocabularies of a model folder, given the settings of its run.

    Raises:
        DataError: a file is missing or invalid.
    """
    return Subwords.load(folder, form=TextForm.of(settings))


def read_subwords(path: Path, settings: SubwordSettings, *, paired: bool = True) -> Subwords:
    """Return the vocabularies in `path`: a SentencePiece model for both sides, or a folder such as a model folder.

    Text that is not `paired` has one vocabulary: that of the target side.

    Raises:
        ConfigurationError: `subwords.joint` is not as the vocabularies are, or they lack a user-defined symbol.
        DataError: a file is missing or invalid.
    """
    if path.is_dir():
        subwords = Subwords.load(path, form=TextForm.of(settings))
    else:
        vocabulary = Vocabulary.load(path, form=TextForm.of(settings))
        subwords = Subwords(vocabulary, vocabulary, True)
    for vocabulary in (subwords.source, subwords.target):
        _check_symbols(path, vocabulary, settings)
    if not paired:
        return Subwords(subwords.target, subwords.target, True)
    if subwords.joint != settings.joint:
        kind = "one vocabulary for both sides" if subwords.joint else "a vocabulary for each side"
        raise ConfigurationError(
            f"'{path}' holds {kind}; set subwords.joint = {str(subwords.joint).lower()}.",
            key="subwords.joint",
            value=settings.joint,
        )
    return subwords


def _check_symbols(path: Path, vocabulary: Vocabulary, settings: SubwordSettings) -> None:
    missing = [symbol for symbol in settings.user_defined_symbols if symbol not in vocabulary.symbols]
    if missing:
        raise ConfigurationError(
            f"'{path}' does not hold '{missing[0]}' as a user-defined symbol; train it with --user_defined_symbols, or "
            f"remove the symbol from subwords.user_defined_symbols.",
            key="subwords.user_defined_symbols",
            value=missing[0],
            known=vocabulary.symbols,
        )
    added = TextForm.of(settings).added_symbols
    missing = [symbol for symbol in added if symbol not in vocabulary.whole_pieces]
    if missing:
        key, value = ("casing", settings.casing) if settings.casing != "as-is" else ("kind", settings.kind)
        raise ConfigurationError(
            f"'{path}' does not hold '{missing[0]}' as a user-defined symbol, which subwords.{key} = \"{value}\" needs; train "
            f"it with --user_defined_symbols={','.join(added)}, or leave subwords.{key} out.",
            key=f"subwords.{key}",
            value=value,
            known=vocabulary.symbols,
        )


def train_subwords(
    pairs: Callable[[], Iterable[tuple[str, str]]],
    settings: SubwordSettings,
    count: int,
    seed: int,
    *,
    paired: bool = True,
    characters: tuple[int, int] = (0, 0),
) -> Subwords:
    """Learn vocabularies from text.

    Args:
        pairs: opens the text; called once for each vocabulary, and again for each size that does not fit.
        settings: kind, size and other options; a size that the text does not support is changed with a warning.
        count: number of pairs, which determines the size if it is 0.
        seed: of the sample from a text that is too long to learn from all of it.
        paired: whether the text has two sides; if not, there is one vocabulary, that of the target side.
        characters: of the source side and of the target side, which bound the sample.

    Raises:
        DataError: the text has no characters to learn pieces from.
    """
    if settings.kind == "byte":
        form = TextForm.of(settings)
        symbols = (*settings.user_defined_symbols, *form.added_symbols)
        vocabulary = Vocabulary(byte_model(symbols), form=form)
        return Subwords(vocabulary, vocabulary, settings.joint or not paired)
    chosen = _default_size(settings.kind, count)
    size = settings.vocabulary_size or chosen
    learn = functools.partial(_train, settings=settings, size=size, seed=seed, is_chosen=size == chosen)
    if settings.joint or not paired:
        vocabulary = learn(
            lambda: (side for pair in pairs() for side in pair[not paired :]),
            sample_share(settings.kind, count * (1 + paired), sum(characters[not paired :])),
        )
        return Subwords(vocabulary, vocabulary, True)
    shares = [sample_share(settings.kind, count, each) for each in characters]
    source = learn(lambda: (source for source, _ in pairs()), shares[0], "source ")
    target = learn(lambda: (target for _, target in pairs()), shares[1], "target ")
    return Subwords(source, target, False)


def different_size(subwords: Subwords, settings: SubwordSettings, count: int) -> int:
    """Return the size of a vocabulary that is not as large as the settings ask for; 0 if there is none.

    Args:
        subwords: learnt with these settings.
        settings: kind and size; no size asks for any, and neither does the one that suits the number of pairs.
        count: number of pairs.
    """
    size = settings.vocabulary_size
    if settings.model is not None or size in (0, _default_size(settings.kind, count)):
        return 0
    sizes = {subwords.target.size, *([] if subwords.joint else [subwords.source.size])}
    return max((each for each in sizes if each != size), default=0)


def _default_size(kind: str, count: int) -> int:
    if kind == "character":
        return MAX_CHARACTERS  # as many as `character_coverage` asks for
    # Words are not split, so that more of them are needed.
    return vocabulary_size(count) * (WORDS_PER_SUBWORD if kind == "word" else 1)


def _train(
    lines: Callable[[], Iterator[str]],
    share: float,
    side: str = "",
    *,
    settings: SubwordSettings,
    size: int,
    seed: int,
    is_chosen: bool,
) -> Vocabulary:
    """Learn a vocabulary from a share of lines; `is_chosen` if the size is the one that suits the number of lines."""
    form = TextForm.of(settings)
    if settings.kind == "word":
        return _learn_words(sample(lines(), share, seed, form), settings, size, side)
    symbols = (*settings.user_defined_symbols, *form.added_symbols)
    requested = size
    for _ in range(MAX_SIZES):
        try:
            model = _train_once(sample(lines(), share, seed, form), settings, size, symbols)
            vocabulary = Vocabulary(model, form=form)
        except RuntimeError as error:
            size, reason = _possible_size(error, size, side, len(symbols))
        else:
            # That a text supports fewer pieces than are chosen for its size is not news.
            if size > requested or (size < requested and not is_chosen):
                logger.warning(
                    "the %straining text %s %d pieces; the vocabulary size was changed from %d to %d.",
                    side, reason, size, requested, size,
                )  # fmt: skip
            return vocabulary
    raise DataError(f"no vocabulary size fits the {side}training text; the last one tried was {size}.")


def _learn_words(lines: Iterator[str], settings: SubwordSettings, size: int, side: str) -> Vocabulary:
    form = TextForm.of(settings)
    symbols = (*settings.user_defined_symbols, *(symbol.removeprefix(SPACE) for symbol in form.added_symbols))
    words = frequent_words(lines, symbols)
    if not words:
        raise _only_blank(side)
    # Special pieces, bytes and symbols come first.
    reserved = Vocabulary(word_model(symbols, [])).size
    vocabulary = Vocabulary(word_model(symbols, words[: max(1, size - reserved)]), form=form)
    if settings.vocabulary_size and vocabulary.size != size:
        logger.warning(
            "the %straining text has %d words that occur more than once, besides %d other pieces; the vocabulary size was "
            "changed from %d to %d.", side, len(words), reserved, size, vocabulary.size,
        )  # fmt: skip
    return vocabulary


def _only_blank(side: str) -> DataError:
    return DataError(f"the {side}training text holds only blank lines; no subwords can be learnt from it.")


def _possible_size(error: RuntimeError, size: int, side: str, symbols: int) -> tuple[int, str]:
    """Return the size that SentencePiece's error about `size` suggests, and the reason in words."""
    limit = re.search(r"too high.*value <= (\d+)", str(error))
    if limit is not None:
        return int(limit[1]), "supports at most"
    required = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
    if required is not None:
        return int(required[1]) + 1, "requires at least"
    if "(vocab_size) >= (0)" in str(error):  # of characters
        return MIN_SIZE + symbols, "requires at least"
    if "!sentences_.empty()" in str(error):
        raise _only_blank(side) from None
    raise DataError(
        f"SentencePiece could not learn a vocabulary of {size} pieces from the {side}training text: {error}"
    ) from None


def _train_once(lines: Iterator[str], settings: SubwordSettings, size: int, symbols: Sequence[str]) -> bytes:
    writer = io.BytesIO()
    failures: list[BaseException] = []

    def readable() -> Iterator[str]:
        try:
            yield from (line for line in lines if line.strip())
        except BaseException as error:
            # SentencePiece would turn it into an exception of its own, even KeyboardInterrupt.
            failures.append(error)
            raise

    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=readable(),
            model_writer=writer,
            model_type=PIECE_KINDS[settings.kind].model_type,
            vocab_size=size,
            character_coverage=settings.character_coverage,
            num_threads=TRAINER_THREADS,
            normalization_rule_name="identity",
            byte_fallback=True,
            user_defined_symbols=list(symbols),
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=BEGIN,
            eos_id=END,
            minloglevel=2,
        )
    except RuntimeError:
        if failures:
            raise failures[0] from None
        raise
    return writer.getvalue()
