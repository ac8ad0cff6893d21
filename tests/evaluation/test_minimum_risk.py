"""Expected utilities, against sacreBLEU's sentence scores of all pairs."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.evaluation.minimum_risk import expected_utilities

TEXTS = [
    "A dog runs over the grass .",
    "A dog is running on grass .",
    "The dog runs over grass .",
    "犬",
    "",
    "A cat .",
]


def by_sacrebleu(texts, weights, utility) -> list[float]:
    score = sacrebleu.sentence_chrf if utility == "chrf" else sacrebleu.sentence_bleu
    weights = np.array(weights) / sum(weights)
    return [
        sum(weight * score(one, [other]).score for other, weight in zip(texts, weights, strict=True))
        for one in texts
    ]


@pytest.mark.parametrize("utility", ["chrf", "bleu"])
@pytest.mark.parametrize("weights", [[1.0] * 6, [0.5, 0.1, 0.2, 0.05, 0.1, 0.05]])
def test_it_is_the_mean_of_all_pairs(utility, weights) -> None:
    texts = [text for text in TEXTS if text] if utility == "bleu" else TEXTS
    weights = weights[: len(texts)]
    found = expected_utilities(texts, np.array(weights), utility=utility)
    assert found.tolist() == pytest.approx(by_sacrebleu(texts, weights, utility), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("ab c", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=5))
def test_it_is_the_mean_of_all_pairs_of_any_texts(texts) -> None:
    found = expected_utilities(texts, np.ones(len(texts)), utility="chrf")
    assert found.tolist() == pytest.approx(by_sacrebleu(texts, [1.0] * len(texts), "chrf"), abs=1e-9)


def test_the_text_in_the_middle_has_the_least_risk() -> None:
    found = expected_utilities([*TEXTS[:3], "Something else ."], np.ones(4), utility="chrf")
    assert found.argmax() in {0, 1, 2}
    assert found.argmin() == 3
