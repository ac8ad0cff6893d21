"""Why a model does not translate, judged by its learning curve."""

from __future__ import annotations

import pytest

from nmt_lstm.training.diagnosis import ValidationPoint, diagnose

FALLING = [ValidationPoint(100, 6.0, 6.1), ValidationPoint(200, 5.0, 5.2), ValidationPoint(300, 4.1, 4.5)]


def diagnosis(curve, *, bleu=2.0, chrf=10.0, out_of_time=False) -> str:
    return "\n".join(diagnose(curve, bleu=bleu, chrf=chrf, pairs=11_000, out_of_time=out_of_time))


def test_a_model_that_translates_has_no_diagnosis() -> None:
    assert diagnosis(FALLING, bleu=30.0) == ""


def test_right_answers_of_one_word_have_no_diagnosis() -> None:
    assert diagnosis(FALLING, bleu=0.0, chrf=97.0) == ""


def test_the_score_comes_first() -> None:
    assert "BLEU 2.0" in diagnose(FALLING, bleu=2.0, chrf=10.0, pairs=1, out_of_time=False)[0]


@pytest.mark.parametrize(("out_of_time", "cause"), [(True, "time limit"), (False, "training.epochs")])
def test_a_loss_that_still_falls_needs_more_steps(out_of_time, cause) -> None:
    text = diagnosis(FALLING, out_of_time=out_of_time)
    assert "300 optimizer steps" in text
    assert "still falling (5.20 to 4.50)" in text
    assert cause in text


def test_a_run_with_one_validation_needs_more_steps() -> None:
    text = diagnosis(FALLING[:1])
    assert "only 100 optimizer steps" in text
    assert "falling" not in text
    assert "only 1 optimizer step." in diagnosis([ValidationPoint(1, 7.0, 7.1)])


def test_a_run_stopped_by_its_time_limit_needs_time_whatever_its_loss() -> None:
    text = diagnosis([ValidationPoint(100, 7.0, 7.1), ValidationPoint(2_000, 6.9, 7.0)], out_of_time=True)
    assert "time limit stopped training after 2,000 optimizer steps" in text
    assert "learning_rate" not in text


def test_after_few_steps_the_learning_rate_is_not_blamed() -> None:
    assert "learning_rate" not in diagnosis([ValidationPoint(100, 7.0, 7.1), ValidationPoint(200, 6.9, 7.0)])


def test_a_handful_of_pairs_is_too_little_text() -> None:
    sentences = diagnose([ValidationPoint(2, 5.7, 5.7)], bleu=0.0, chrf=0.0, pairs=3, out_of_time=False)
    assert "3 sentence pairs is too small" in sentences[1]


def test_memorized_text_needs_more_text() -> None:
    text = diagnosis(
        [ValidationPoint(100, 5.0, 5.2), ValidationPoint(200, 2.0, 4.6), ValidationPoint(300, 0.9, 5.4)]
    )
    assert "memorizes the 11,000 training pairs (loss 0.90 on them, 5.40" in text


def test_a_loss_that_hardly_falls_needs_a_different_learning_rate() -> None:
    text = diagnosis([ValidationPoint(100, 7.0, 7.1), ValidationPoint(2_000, 6.9, 7.0)])
    assert "from 7.10 to 7.00 in 2,000 steps" in text
    assert "learning_rate" in text


def test_a_loss_far_above_guessing_is_divergence_even_after_few_steps() -> None:
    text = diagnosis([ValidationPoint(10, 1e20, 4.3e29)])
    assert "diverged" in text
    assert "4.3e+29" in text
    assert "learning_rate" in text
