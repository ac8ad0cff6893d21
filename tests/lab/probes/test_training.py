"""Training: what is learned, when it stops, and that the result depends on the run alone; runs in processes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.lab.experiment.pool import Failed, Finished, Progress, run_in_processes
from nmt_lstm.lab.probes import training
from nmt_lstm.lab.probes.training import ProbeJob, train_probe
from nmt_lstm.registry import CELLS, load_plugin_file

PLUGIN = '''"""A cell that fails."""
import torch
from nmt_lstm import CELLS
from nmt_lstm.cells.rnn import RNN


@CELLS.register("probed_raising")
class Raising(RNN):
    def step(self, inputs, state):
        raise RuntimeError("no such\\nluck")
'''


class Exploding(Cell):
    """A cell whose state becomes infinite."""

    def __init__(self, input_size: int, hidden_size: int, *, factor: float = 1e30) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.ones(input_size, hidden_size))
        self.factor = factor

    def step(self, inputs, state):
        hidden = inputs @ self.weight + state[0] * self.factor
        return hidden, (hidden,)


def without_times(result) -> dict:
    """Return the values of a result that do not depend on the clock."""
    return result.model_dump(exclude={"seconds", "finished"})


def test_a_gru_learns_to_add_two_of_four_numbers(make_run) -> None:
    reports = []
    run = make_run(hidden_size=16, batch_size=20, steps=600, check_every=50, learning_rates=(0.02,))
    result = train_probe(run, reports.append)
    assert result.solved, result.attempts
    assert result.loss < result.solved_below == pytest.approx(0.01)
    (attempt,) = result.attempts
    assert attempt.steps == attempt.curve[-1][0] < 600
    assert [(progress.step, progress.loss) for progress in reports] == attempt.curve
    assert all(progress.learning_rate == 0.02 for progress in reports)
    assert result.distribution["distribution"] == "nmt-lstm"
    assert result.parameters == sum(
        p.numel() for p in [*CELLS.build("gru", 2, 16).parameters(), *nn.Linear(16, 1).parameters()]
    )
    assert {"torch", "python", "nmt-lstm"} <= set(result.versions)


def test_the_result_depends_on_the_run_alone(make_run) -> None:
    run = make_run()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = train_probe(run)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert without_times(train_probe(run)) == without_times(first)
    assert without_times(train_probe(make_run(seed=2)))["attempts"] != without_times(first)["attempts"]


def test_cells_see_the_same_sequences(make_run, monkeypatch) -> None:
    from nmt_lstm.lab.probes.catalogue import Adding

    drawn: dict[str, list[torch.Tensor]] = {"gru": [], "rnn": []}
    draw = Adding.draw
    for name, episodes in drawn.items():
        monkeypatch.setattr(
            Adding,
            "draw",
            lambda *arguments, episodes=episodes: episodes.append(draw(*arguments)) or episodes[-1],
        )
        train_probe(make_run(name))
    for one, other in zip(drawn["gru"], drawn["rnn"], strict=True):
        assert torch.equal(one.inputs, other.inputs)
    test, *rest = drawn["gru"]
    assert len(test.inputs) == 40
    # Each learning rate starts with the same sequences.
    assert len(rest) == 12
    assert torch.equal(rest[0].inputs, rest[6].inputs)


def test_learning_rates_are_tried_until_one_solves_the_task(make_run) -> None:
    result = train_probe(make_run(learning_rates=(0.003, 0.002)))
    assert [attempt.learning_rate for attempt in result.attempts] == [0.003, 0.002]
    assert [attempt.stopped for attempt in result.attempts] == ["steps", "steps"]
    assert result.loss == min(attempt.loss for attempt in result.attempts)
    assert [step for step, _ in result.best.curve] == [3, 6]


def test_no_rate_is_tried_after_one_that_solves_the_task(make_run, monkeypatch) -> None:
    monkeypatch.setattr(training.Task, "solved_below", lambda self, length: math.inf)
    result = train_probe(make_run())
    assert [(attempt.stopped, attempt.steps) for attempt in result.attempts] == [("solved", 3)]


def test_learning_rates_share_the_time_limit(make_run) -> None:
    result = train_probe(make_run(steps=100_000, time_limit=0.2))
    assert [attempt.stopped for attempt in result.attempts] == ["time limit"] * 2
    assert all(attempt.steps == attempt.curve[-1][0] < 100_000 for attempt in result.attempts)
    assert result.out_of_time


def test_training_ends_when_it_diverges(make_run, monkeypatch) -> None:
    CELLS.register("exploding")(Exploding)
    result = train_probe(make_run("exploding"))
    assert result.model_dump(mode="json")["attempts"][0]["largest_gradient"] is None
    assert [attempt.stopped for attempt in result.attempts] == ["diverged"] * 2
    assert result.attempts[0].curve == [(1, None)]
    assert result.loss == math.inf
    assert not result.solved


def test_gradient_flow_belongs_to_the_best_attempt(make_run, monkeypatch) -> None:
    flows = iter([[1.0], [2.0], [3.0], [4.0]])
    monkeypatch.setattr(training, "gradient_flow", lambda *_: next(flows))
    result = train_probe(make_run(learning_rates=(0.02, 1e-9), steps=30, check_every=30))
    assert result.best.learning_rate == 0.02
    assert result.gradient_flow.trained == [2.0]


def test_test_sequences_are_computed_in_blocks(make_run, monkeypatch) -> None:
    at_once = train_probe(make_run())
    monkeypatch.setattr(training, "_MAX_OUTPUTS", 7 * 4 * 8)
    in_blocks = train_probe(make_run())
    assert in_blocks.loss == pytest.approx(at_once.loss, rel=1e-4)


def test_the_largest_gradient_is_recorded_with_and_without_clipping(make_run, monkeypatch) -> None:
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


def job_of(run) -> ProbeJob:
    return ProbeJob(run.identity, str(run), run)


def test_a_worker_process_gives_the_same_result(make_run) -> None:
    jobs = [job_of(make_run(name)) for name in ("gru", "rnn")]
    events = [event for event in run_in_processes(jobs, parallel=1) if event]
    assert sum(isinstance(event, Progress) for event in events) == 8
    results = {event.job.key: event.result for event in events if isinstance(event, Finished)}
    for job in jobs:
        expected = train_probe(job.run)
        assert results[job.key].attempts == expected.attempts
        assert results[job.key].gradient_flow == expected.gradient_flow
        assert f"loss {expected.loss:.3g} " in job.outcome(expected)


def test_a_failing_cell_is_reported_with_its_line(tmp_path, make_run) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    load_plugin_file(str(path))
    events = run_in_processes([job_of(make_run("probed_raising"))], parallel=1, plugins=[path])
    (failure,) = [event for event in events if isinstance(event, Failed)]
    assert all(word in failure.reason for word in (str(path), "line 10", "RuntimeError: no such luck"))
