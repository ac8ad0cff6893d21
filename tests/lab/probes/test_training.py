"""A probe's training: what it learns, when it stops, and that nothing but the run decides the result."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.lab.probes import training
from nmt_lstm.lab.probes.training import train_probe
from nmt_lstm.registry import CELLS


class Exploding(Cell):
    """Becomes infinite."""

    def __init__(self, input_size: int, hidden_size: int, *, factor: float = 1e30) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.ones(input_size, hidden_size))
        self.factor = factor

    def step(self, inputs, state):
        hidden = inputs @ self.weight + state[0] * self.factor
        return hidden, (hidden,)


def comparable(record) -> dict:
    """All of a record but what the clock decides."""
    return record.model_dump(exclude={"seconds", "finished"})


def test_a_gru_learns_to_add_two_of_four_numbers(make_run) -> None:
    seen = []
    run = make_run(hidden_size=16, batch_size=20, steps=600, check_every=50, learning_rates=(0.02,))
    record = train_probe(run, seen.append)
    assert record.solved, record.attempts
    assert record.loss < record.solved_below == pytest.approx(0.01)
    (attempt,) = record.attempts
    assert attempt.steps == attempt.curve[-1][0] < 600
    assert [(progress.step, progress.loss) for progress in seen] == attempt.curve
    assert all(progress.learning_rate == 0.02 for progress in seen)
    assert record.distribution["distribution"] == "nmt-lstm"
    assert record.parameters == sum(
        p.numel() for p in [*CELLS.build("gru", 2, 16).parameters(), *nn.Linear(16, 1).parameters()]
    )
    assert {"torch", "python", "nmt-lstm"} <= set(record.versions)


def test_the_result_depends_on_the_run_alone(make_run) -> None:
    run = make_run()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = train_probe(run)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert comparable(train_probe(run)) == comparable(first)
    assert comparable(train_probe(make_run(seed=2)))["attempts"] != comparable(first)["attempts"]


def test_cells_see_the_same_sequences(make_run, monkeypatch) -> None:
    from nmt_lstm.lab.probes.catalogue import Adding

    drawn: dict[str, list[torch.Tensor]] = {"gru": [], "rnn": []}
    draw = Adding.draw
    for name, seen in drawn.items():
        monkeypatch.setattr(Adding, "draw", lambda *given, seen=seen: seen.append(draw(*given)) or seen[-1])
        train_probe(make_run(name))
    for one, other in zip(drawn["gru"], drawn["rnn"], strict=True):
        assert torch.equal(one.inputs, other.inputs)
    test, *rest = drawn["gru"]
    assert len(test.inputs) == 40
    # Each learning rate starts from the same sequences again.
    assert len(rest) == 12
    assert torch.equal(rest[0].inputs, rest[6].inputs)


def test_each_learning_rate_is_tried_until_one_solves_it(make_run) -> None:
    tried = train_probe(make_run(learning_rates=(0.003, 0.002)))
    assert [attempt.learning_rate for attempt in tried.attempts] == [0.003, 0.002]
    assert [attempt.stopped for attempt in tried.attempts] == ["steps", "steps"]
    assert tried.loss == min(attempt.loss for attempt in tried.attempts)
    assert [step for step, _ in tried.best.curve] == [3, 6]


def test_no_other_rate_is_tried_after_one_that_solves(make_run, monkeypatch) -> None:
    monkeypatch.setattr(training.Task, "solved_below", lambda self, length: math.inf)
    record = train_probe(make_run())
    assert [(attempt.stopped, attempt.steps) for attempt in record.attempts] == [("solved", 3)]


def test_the_time_limit_is_shared_by_the_rates_and_noted(make_run) -> None:
    record = train_probe(make_run(steps=100_000, time_limit=0.2))
    assert [attempt.stopped for attempt in record.attempts] == ["time limit"] * 2
    assert all(attempt.steps == attempt.curve[-1][0] < 100_000 for attempt in record.attempts)
    assert record.cut_short


def test_a_training_that_diverges_ends_there(make_run, monkeypatch) -> None:
    monkeypatch.setitem(CELLS._decorated, "exploding", Exploding)
    record = train_probe(make_run("exploding"))
    assert record.model_dump(mode="json")["attempts"][0]["largest_gradient"] is None
    assert [attempt.stopped for attempt in record.attempts] == ["diverged"] * 2
    assert record.attempts[0].curve == [(1, None)]
    assert record.loss == math.inf
    assert not record.solved


def test_gradient_flow_is_that_of_the_best_attempt(make_run, monkeypatch) -> None:
    flows = iter([[1.0], [2.0], [3.0], [4.0]])
    monkeypatch.setattr(training, "gradient_flow", lambda *given: next(flows))
    record = train_probe(make_run(learning_rates=(0.02, 1e-9), steps=30, check_every=30))
    assert record.best.learning_rate == 0.02
    assert record.gradient_flow.trained == [2.0]


def test_test_sequences_are_taken_in_parts_of_the_same_mean(make_run, monkeypatch) -> None:
    whole = train_probe(make_run())
    monkeypatch.setattr(training, "_LARGEST_OUTPUTS", 7 * 4 * 8)
    parts = train_probe(make_run())
    assert parts.loss == pytest.approx(whole.loss, rel=1e-4)


def test_without_clipping_gradients_explode_and_the_record_says_how_far(make_run) -> None:
    CELLS.register("exploding")(Exploding)
    clipped, free = (
        train_probe(
            make_run(
                "exploding:factor=3.0",
                hidden_size=2,
                steps=3,
                check_every=1,
                learning_rates=(0.01,),
                clip_norm=norm,
            )
        ).attempts[0]
        for norm in (1e-6, 0.0)
    )
    assert clipped.largest_gradient is not None
    assert free.largest_gradient is not None
    # The first step's gradient is measured before clipping, so it is the same for both.
    assert free.largest_gradient >= 1.0
    assert clipped.largest_gradient > 1e-6
    assert free.curve != clipped.curve
