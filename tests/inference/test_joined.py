"""The translation of a line from those of its sentences."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm import Hypothesis, Translation
from nmt_lstm.inference.joined import joined


def sentence(name: str, count: int, *, targets: int = 2) -> Translation:
    hypotheses = tuple(
        Hypothesis(
            f"{name}{rank}.",
            score=-1.0 - rank,
            log_probability=-2.0 * targets,
            pieces=(f"▁{name}", f"{rank}.")[:targets],
            alignment=((1, 0),),
            attention=np.array([[0.1, 0.6, 0.3]] * targets, dtype=np.float32),
            piece_log_probabilities=(-1.0,) * (targets + 1),
            ids=(7,) * targets,
        )
        for rank in range(count)
    )
    return Translation(name, hypotheses[0].text, hypotheses[0].score, ("▁x", "y"), hypotheses)


def test_everything_follows_each_other() -> None:
    line = joined(
        "a b", [sentence("a", 2), Translation("", "", 0.0, (), ()), sentence("b", 1, targets=1)], " "
    )
    assert (line.source, line.text, line.source_pieces) == ("a b", "a0. b0.", ("▁x", "y", "▁x", "y"))
    assert [each.text for each in line.hypotheses] == ["a0. b0.", "a1. b0."]
    best, second = line.hypotheses
    assert best.pieces == ("▁a", "0.", "▁b")
    assert best.alignment == ((1, 0), (3, 2))
    assert best.log_probability == -6.0
    assert second.score == pytest.approx((-2.0 * 3 - 1.0 * 2) / 5)
    assert best.piece_log_probabilities == (-1.0, -1.0, -1.0, -2.0)
    expected = [[0.1, 0.6, 0, 0, 0.3], [0.1, 0.6, 0, 0, 0.3], [0, 0, 0.1, 0.6, 0.3]]
    np.testing.assert_allclose(best.attention, expected, rtol=1e-6)
    assert best.ids == (7, 7, 7)


def test_a_line_without_sentences_is_empty() -> None:
    assert joined(" ", [], " ") == Translation(" ", "", 0.0, (), ())


def test_languages_without_spaces_are_joined_without() -> None:
    assert joined("ab", [sentence("a", 1), sentence("b", 1)], "").text == "a0.b0."
