"""Summaries: outcomes over seeds, and the longest length solved."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.probes.summary import loss_text, summarise


@pytest.fixture
def summary(make_run, make_result):
    """Two cells; the second solves lengths 4 (two of three seeds) and 20 (all), but not 10 (one of three)."""
    results = [("rnn", make_result(make_run("rnn", length=length), loss=1.0)) for length in (10, 4)]
    for length, solved in ((4, 2), (10, 1), (20, 3)):
        for seed in (1, 2, 3):
            run = make_run("gru", length=length, seed=seed)
            outcome = {"loss": 0.01 * seed, "stopped": "solved"} if seed <= solved else {"loss": 0.5}
            results.append(("gru", make_result(run, steps=100 * seed, **outcome)))
    return summarise(results, cells=["rnn", "gru", "lstm"], tasks=["copy", "adding"])


def test_outcomes_are_in_order(summary) -> None:
    assert [(o.task, o.length, o.cell) for o in summary.outcomes] == [
        ("adding", 4, "rnn"), ("adding", 4, "gru"), ("adding", 10, "rnn"), ("adding", 10, "gru"), ("adding", 20, "gru"),
    ]  # fmt: skip
    assert (summary.cells, summary.tasks, summary.lengths("adding")) == (
        ["rnn", "gru"],
        ["adding"],
        [4, 10, 20],
    )


def test_more_than_half_of_the_seeds_must_solve_a_length(summary) -> None:
    assert [summary.find("adding", length, "gru").solved for length in (4, 10, 20)] == [True, False, True]
    assert summary.longest_solved("adding", "gru") == 20
    assert summary.longest_solved("adding", "rnn") is None
    assert summary.find("adding", 20, "rnn") is None


def test_losses_and_steps_are_medians(summary) -> None:
    outcome = summary.find("adding", 4, "gru")
    assert (outcome.loss, outcome.steps, outcome.solved_seeds) == (0.02, 150, 2)
    assert outcome.seconds == pytest.approx(4.5)
    assert outcome.text == "0.02, 2 of 3 solved, 150 steps"
    assert summary.find("adding", 4, "rnn").text == "1"


def test_a_time_limit_is_mentioned(make_run, make_result) -> None:
    (outcome,) = summarise(
        [("gru", make_result(stopped="time limit", loss=0.5))], cells=["gru"], tasks=["adding"]
    ).outcomes
    assert outcome.text == "0.5 (time limit)"


def test_losses_have_three_digits() -> None:
    assert [loss_text(value) for value in (1 / 6, 0.0945, 0.0086012, 12.345, float("inf"))] == [
        "0.167", "0.0945", "0.0086", "12.3", "diverged",
    ]  # fmt: skip
