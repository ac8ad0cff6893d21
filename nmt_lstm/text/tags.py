"""Tags: a piece in front of a source line that says what kind of text it is, or which language it becomes.

References: Johnson et al. 2017 (target-language tags), Caswell et al. 2019 (tagged back-translation).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = ["tag_pieces", "tag_warnings", "with_tags"]

# A tag in a larger share of the lines is a word of the text, or a part of many words.
MAX_SHARE = 0.01


def with_tags(subwords: SubwordSettings, tags: Sequence[str]) -> SubwordSettings:
    """Return the settings with the tags among the user-defined symbols, so that each is one piece."""
    symbols = subwords.user_defined_symbols
    missing = [tag for tag in tags if tag not in symbols]
    if not missing:
        return subwords
    return subwords.model_copy(update={"user_defined_symbols": [*symbols, *missing]})


def tag_pieces(vocabulary: Vocabulary, tag: str) -> tuple[int, ...]:
    """Return the piece of a tag, or nothing for an empty tag.

    Args:
        vocabulary: of the source side.
        tag: such as "<2de>".

    Raises:
        ConfigurationError: the vocabulary does not have it.
    """
    if not tag:
        return ()
    piece = vocabulary.symbol_piece(tag)
    if piece is None:
        known = vocabulary.symbols
        has = f"It has {', '.join(known[:20])}." if known else "It was trained without tags."
        raise ConfigurationError(
            f"the model has no tag '{tag}'.{nearest(tag, known)} {has}", key="tag", value=tag, known=known
        )
    return (piece,)


def tag_warnings(
    data: DataSettings, corpora: Sequence[Sequence[str]], sets: Sequence[Sequence[str]]
) -> list[str]:
    """Return a sentence for each tag that occurs in the text itself, or that validation has and training lacks.

    Args:
        data: the text.
        corpora: the first source lines of each corpus.
        sets: the first source lines of each validation set.

    Raises:
        ConfigurationError: a tag occurs in many lines, each of which would have its piece.
    """
    warnings = []
    inline = set[str]()  # tags at the beginning of lines that have no other
    for corpus, lines in zip(data.training_corpora(), corpora, strict=True):
        for tag in data.tags():
            own = [line for line in lines if tag in line]
            if own and not corpus.tag and all(line.startswith(tag) for line in own):
                inline.add(tag)
            elif own:
                warnings.append(_in_text(tag, corpus.name, len(own), len(lines)))
    if data.stream:  # its lines begin with the tags of the validation sets
        return warnings
    return [*warnings, *_of_validation(data, sets, {corpus.tag for corpus in data.corpora} | inline)]


def _in_text(tag: str, name: str, count: int, lines: int) -> str:
    """Return a warning about a tag that `count` of the first lines of a corpus have in their text."""
    where = f"the tag '{tag}' occurs in {count:,} of the first {count_of(lines, 'source line')} of '{name}'"
    example = f"<{tag}>" if tag.isalnum() else "<2de>"
    if count > MAX_SHARE * lines:
        raise ConfigurationError(
            f"{where}, each of which would have its piece; choose a tag that no text contains, such as {example}.",
            key="data.corpora",
            value=tag,
        )
    return f"{where}, which have its piece, too; a tag that no text contains, such as {example}, is better."


def _of_validation(data: DataSettings, sets: Sequence[Sequence[str]], taught: set[str]) -> Iterator[str]:
    """Yield a warning for each validation set whose tag training lacks, or that has none although training has."""
    for each, lines in zip(data.validation_sets(), sets, strict=True):
        if each.tag and each.tag not in taught:
            yield (
                f"no corpus has the tag '{each.tag}' of the validation set '{each.name}', so training does not teach what it "
                f"means."
            )
        elif data.is_tagged and not each.tag and not any(tag in line for line in lines for tag in taught):
            tags = ", ".join(sorted(taught))
            yield (
                f"every corpus has a tag, but the validation set '{each.name}' has none; give it that of its direction in "
                f"[[data.validation]]: {tags}."
            )
