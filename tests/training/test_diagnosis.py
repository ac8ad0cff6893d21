"""Why a model does not translate, told from its learning curve."""

from __future__ import annotations

import math

import pytest

from nmt_lstm.training.diagnosis import Point, diagnose

FALLING = [Point(100, 6.0, 6.1), Point(200, 5.0, 5.2), Point(300, 4.1, 4.5)]


def told(curve, *, bleu=2.0, out_of_time=False) -> str:
    return "\n".join(diagnose(curve, bleu=bleu, pairs=11_000, out_of_time=out_of_time))


def test_a_model_that_translates_is_told_nothing() -> None:
    assert told(FALLING, bleu=30.0) == ""


def test_the_score_comes_first() -> None:
    assert "BLEU 2.0" in diagnose(FALLING, bleu=2.0, pairs=1, out_of_time=False)[0]


@pytest.mark.parametrize(("out_of_time", "more"), [(True, "larger --time-limit"), (False, "training.epochs")])
def test_a_loss_that_still_falls_asks_for_more_steps(out_of_time, more) -> None:
    text = told(FALLING, out_of_time=out_of_time)
    assert "300 optimizer steps" in text
    assert "still falling (5.20 to 4.50)" in text
    assert more in text


def test_one_validation_is_too_few_steps() -> None:
    text = told(FALLING[:1])
    assert "100 optimizer steps" in text
    assert "falling" not in text


def test_text_known_by_heart_asks_for_more_text() -> None:
    text = told([Point(100, 5.0, 5.2), Point(200, 2.0, 4.6), Point(300, 0.9, 5.4)])
    assert "11,000 training pairs by heart (loss 0.90 on them, 5.40" in text


def test_a_loss_that_hardly_falls_asks_for_another_rate() -> None:
    text = told([Point(100, 7.0, 7.1), Point(2_000, 6.9, 7.0)])
    assert "from 7.10 to 7.00 in 2,000 steps" in text
    assert "learning_rate" in text


def test_a_loss_that_is_no_number_asks_for_a_lower_rate() -> None:
    assert "lower training.optimizer.learning_rate" in told([*FALLING, Point(400, math.nan, math.nan)])
