"""Tags: a piece in front of a source line that says what kind of text it is, or which language it becomes.

References: Johnson et al. 2017 (target-language tags), Caswell et al. 2019 (tagged back-translation).
"""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = ["tag_pieces", "with_tags"]


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
