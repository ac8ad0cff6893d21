"""The probability of given translations."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.errors import DataError
from nmt_lstm.inference.checked_arguments import checked_text
from nmt_lstm.inference.line_search import LineSearch
from nmt_lstm.inference.requests import LinePreparation, TranslationRequest
from nmt_lstm.inference.translation import ScoredTranslation
from nmt_lstm.text.lines import LineWarnings, without_line_end
from nmt_lstm.text.special_pieces import END_OF_SENTENCE
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = ["scored"]


def scored(
    sources: Sequence[str | TranslationRequest],
    targets: Sequence[str],
    preparation: LinePreparation,
    search: LineSearch,
    vocabulary: Vocabulary,
    *,
    limit: int,
    batch_size: int,
) -> list[ScoredTranslation]:
    """Return each target with its log-probability as the translation of its source.

    Args:
        sources: lines; of a request, the tag counts.
        targets: one for each source; they are never truncated.
        preparation: turns sources into pieces.
        search: computes probabilities.
        vocabulary: of the target side.
        limit: source pieces of a line, at most.
        batch_size: the largest number of pairs in a batch.

    Raises:
        DataError: the numbers of lines differ.
        NotTextError: a line is not a string.
    """
    if len(sources) != len(targets):
        raise DataError(
            f"there are {len(sources)} sources but {len(targets)} targets; pass one target line for each source line."
        )
    prepared = preparation.prepare(enumerate(sources, start=1), limit, LineWarnings())
    targets = [without_line_end(checked_text(number, line)) for number, line in enumerate(targets, start=1)]
    pieces = vocabulary.encode_lines(targets)
    log_probabilities = search.log_probabilities(
        [line.pieces for line in prepared], pieces, batch_size=batch_size
    )
    return [
        ScoredTranslation(
            line.text, target, sum(values), (*vocabulary.pieces(ids), END_OF_SENTENCE), tuple(values)
        )
        for line, target, ids, values in zip(prepared, targets, pieces, log_probabilities, strict=True)
    ]
