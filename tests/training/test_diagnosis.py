"""Why a model does not translate, told from its learning curve."""

from __future__ import annotations

import pytest

from nmt_lstm.training.diagnosis import Point, diagnose

FALLING = [Point(100, 6.0, 6.1), Point(200, 5.0, 5.2), Point(300, 4.1, 4.5)]


def told(curve, *, bleu=2.0, out_of_time=False) -> str:
    return "\n".join(diagnose(curve, bleu=bleu, pairs=11_000, out_of_time=out_of_time))


def test_a_model_that_translates_is_told_nothing() -> None:
    assert told(FALLING, bleu=30.0) == ""


def test_the_score_comes_first() -> None:
    assert "BLEU 2.0" in diagnose(FALLING, bleu=2.0, pairs=1, out_of_time=False)[0]


@pytest.mark.parametrize(
    ("out_of_time", "more"), [(True, "The time limit ended"), (False, "training.epochs")]
)
def test_a_loss_that_still_falls_asks_for_more_steps(out_of_time, more) -> None:
    text = told(FALLING, out_of_time=out_of_time)
    assert "300 optimizer steps" in text
    assert "still falling (5.20 to 4.50)" in text
    assert more in text


def test_one_validation_is_too_few_steps() -> None:
    text = told(FALLING[:1])
    assert "only 100 optimizer steps" in text
    assert "falling" not in text
    assert "only 1 optimizer step." in told([Point(1, 7.0, 7.1)])


def test_a_run_that_its_time_limit_ended_needs_time_whatever_its_loss_did() -> None:
    text = told([Point(100, 7.0, 7.1), Point(2_000, 6.9, 7.0)], out_of_time=True)
    assert "time limit ended training after 2,000 optimizer steps" in text
    assert "learning_rate" not in text


def test_few_steps_say_nothing_of_the_learning_rate() -> None:
    assert "learning_rate" not in told([Point(100, 7.0, 7.1), Point(200, 6.9, 7.0)])


def test_a_handful_of_pairs_is_no_text() -> None:
    found = diagnose([Point(2, 5.7, 5.7)], bleu=0.0, pairs=3, out_of_time=False)
    assert "3 sentence pairs are too few" in found[1]


def test_text_known_by_heart_asks_for_more_text() -> None:
    text = told([Point(100, 5.0, 5.2), Point(200, 2.0, 4.6), Point(300, 0.9, 5.4)])
    assert "11,000 training pairs by heart (loss 0.90 on them, 5.40" in text


def test_a_loss_that_hardly_falls_asks_for_another_rate() -> None:
    text = told([Point(100, 7.0, 7.1), Point(2_000, 6.9, 7.0)])
    assert "from 7.10 to 7.00 in 2,000 steps" in text
    assert "learning_rate" in text
