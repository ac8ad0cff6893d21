"""IBM model 1, compared with a simple reference, and on text with known translations."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.inference import lexicon as module
from nmt_lstm.inference.lexicon import ITERATIONS, learn_lexicon

NULL = "null"


def reference_probabilities(pairs):
    """Compute p(target | source), one link at a time."""
    probabilities = defaultdict(lambda: 1.0)
    for _ in range(ITERATIONS):
        counts, totals = defaultdict(float), defaultdict(float)
        for source, target in pairs:
            sources = [*source, NULL]
            for piece in target:
                norm = sum(probabilities[one, piece] for one in sources)
                for one in sources:
                    share = probabilities[one, piece] / norm
                    counts[one, piece] += share
                    totals[one] += share
        probabilities = {pair: count / totals[pair[0]] for pair, count in counts.items()}
    return probabilities


def random_pairs(count, seed=0):
    random = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        source = random.integers(4, 14, random.integers(1, 7)).tolist()
        pairs.append((source, [piece + 10 for piece in source if piece != 9]))
    return pairs


def test_translations_are_ranked_like_those_of_the_reference() -> None:
    pairs = random_pairs(30)
    lexicon = learn_lexicon(pairs, source_size=14, target_size=24, count=24)
    expected = reference_probabilities([pair for pair in pairs if pair[1]])
    for source in range(14):
        ranked = [piece for piece in lexicon.translations[source].tolist() if piece >= 0]
        probabilities = [expected[source, piece] for piece in ranked]
        assert sorted(probabilities, reverse=True) == pytest.approx(probabilities, abs=1e-9)
        assert set(ranked) == {target for one, target in expected if one == source}


def test_known_translations_are_learnt() -> None:
    lexicon = learn_lexicon(random_pairs(400), source_size=14, target_size=24, count=3)
    assert lexicon.translations.shape == (14, 3)
    for source in set(range(4, 14)) - {9}:
        assert lexicon.translations[source, 0] == source + 10
    assert (lexicon.translations[:4] == -1).all()


def test_frequent_pieces_are_ordered_by_frequency() -> None:
    lexicon = learn_lexicon([([4], [7, 7, 6]), ([5], [7, 6, 5])], source_size=6, target_size=9, count=2)
    assert lexicon.frequent.tolist() == [7, 6, 5]


def test_reading_stops_after_enough_links(monkeypatch) -> None:
    monkeypatch.setattr(module, "LARGEST_LINKS", 100)

    def endless():
        while True:
            yield [4, 5], [6, 7]

    assert learn_lexicon(endless(), source_size=6, target_size=8, count=1).translations[4, 0] in (6, 7)


def test_long_and_empty_sentences_are_skipped() -> None:
    pairs = [([4], []), ([], [5]), ([4] * 200, [5]), ([4], [6])]
    assert learn_lexicon(pairs, source_size=5, target_size=7, count=2).frequent.tolist() == [6]


def test_learning_from_no_pairs_is_an_error() -> None:
    with pytest.raises(DataError, match="no sentence pairs"):
        learn_lexicon([], source_size=5, target_size=5, count=2)
