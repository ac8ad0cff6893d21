"""A step that diverges does not reach the weights, whatever happens to the run, and every optimizer leaves them alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import collate
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import DivergenceError
from nmt_lstm.training.divergence import all_finite
from nmt_lstm.training.step_guard import Failure, Step, StepGuard

BATCH = collate([[5, 6]], [[7, 8, 9]])


class Reports(list[tuple[int, bool]]):
    """Records the steps that are reported."""

    def __call__(self, step: Step, *, skipped: bool, attempt: int) -> Failure:
        self.append((step.number, skipped))
        losses = [float(each.likelihood) / each.batch.target_pieces for each in step.micro_batches]
        return Failure(sum(losses), max(losses, default=math.nan), None)


def make_guard(action: str = "stop", limit: int = 5, *, is_likelihood: bool = True) -> StepGuard:
    settings = TrainingSettings(on_divergence=action, divergence_limit=limit)  # type: ignore[arg-type]
    return StepGuard(settings, is_likelihood=is_likelihood, report=Reports())


def take_step(
    guard: StepGuard, norm: float, optimizer: Any, *, number: int = 0, scaled: bool = False
) -> None:
    guard.before_step(torch.tensor(norm), optimizer, number=number, epoch=0, learning_rate=0.1, scaled=scaled)


def make_optimizer(kind: type[torch.optim.Optimizer] = torch.optim.Adam, **options: Any) -> Any:
    return kind(nn.Linear(2, 1).parameters(), lr=0.1, **options)


def weights(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [weight.detach().clone() for group in optimizer.param_groups for weight in group["params"]]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def fill_gradients(optimizer: torch.optim.Optimizer, value: float) -> None:
    for group in optimizer.param_groups:
        for weight in group["params"]:
            weight.grad = torch.full_like(weight, value)


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Rprop])
def test_a_skipped_step_changes_neither_weights_nor_state(kind: type[torch.optim.Optimizer]) -> None:
    guard, optimizer = make_guard("skip"), make_optimizer(kind)
    fill_gradients(optimizer, 1.0)
    take_step(guard, 1.0, optimizer)
    optimizer.step()
    before, state = weights(optimizer), optimizer.state_dict()["state"]
    state = {
        number: {name: torch.as_tensor(value).clone() for name, value in each.items() if value is not None}
        for number, each in state.items()
    }
    fill_gradients(optimizer, math.nan)
    take_step(guard, math.nan, optimizer, number=1)
    optimizer.step()
    assert same(before, weights(optimizer))
    for number, each in optimizer.state_dict()["state"].items():
        for name, value in each.items():
            assert value is None or torch.equal(torch.as_tensor(value), state[number][name])
    assert (guard.skipped, guard.skipped_in_a_row) == (1, 1)
    assert guard.report == [(1, True)]


def test_a_good_step_ends_a_row_of_skipped_ones() -> None:
    guard, optimizer = make_guard("skip", limit=2), make_optimizer()
    for number, norm in enumerate([math.nan, math.inf, 1.0, math.nan, math.nan]):
        take_step(guard, norm, optimizer, number=number)
    assert (guard.skipped, guard.skipped_in_a_row) == (4, 2)
    with pytest.raises(DivergenceError, match="3 steps in a row") as caught:
        take_step(guard, math.nan, optimizer, number=5)
    assert caught.value.step == 3


def test_the_counts_continue_after_a_resume() -> None:
    guard, optimizer = make_guard("skip", limit=2), make_optimizer()
    for _ in range(2):
        take_step(guard, math.nan, optimizer)
    resumed = make_guard("skip", limit=2)
    resumed.load_state_dict(guard.state_dict())
    assert resumed.logged() == {"skipped_steps": 2.0, "returns": 0.0}
    with pytest.raises(DivergenceError):
        take_step(resumed, math.nan, optimizer)


def test_returns_halve_the_learning_rate() -> None:
    guard = make_guard("return")
    guard.load_state_dict({"skipped": 0, "skipped_in_a_row": 0, "returns": 3})
    assert guard.rate_factor == 0.125


@pytest.mark.parametrize("action", ["stop", "return"])
def test_a_failure_ends_the_training_otherwise(action: str) -> None:
    guard = make_guard(action)
    with pytest.raises(DivergenceError) as caught:
        take_step(guard, math.inf, make_optimizer(), number=7)
    assert caught.value.step == 7
    assert guard.report == [(7, False)]


@pytest.mark.parametrize(
    ("action", "likelihood", "is_likelihood", "diverges"),
    [
        ("stop", 5000.0, True, False),
        ("skip", 5000.0, True, True),
        ("return", 5000.0, True, True),
        ("return", 80.0, True, False),  # 20 nats for each of the four labels
        ("return", 5000.0, False, False),
        ("skip", math.nan, True, True),
    ],
)
def test_a_loss_far_above_guessing_gets_a_gradient_that_is_not_finite(
    action: str, likelihood: float, is_likelihood: bool, diverges: bool
) -> None:
    guard = make_guard(action, is_likelihood=is_likelihood)
    weight = torch.ones(1, requires_grad=True)
    loss, counts = guard.add(weight.sum(), BATCH, torch.tensor(likelihood))
    loss.backward()
    assert torch.isfinite(weight.grad).all() == (not diverges)  # type: ignore[arg-type]
    assert (counts is not None) == (action == "skip")
    assert counts is None or bool(counts) is not diverges


def test_the_error_says_that_the_loss_is_too_large() -> None:
    guard = make_guard("return")
    guard.add(torch.ones(()), BATCH, torch.tensor(200.0))
    with pytest.raises(DivergenceError, match="50 nats per piece is far above that of guessing"):
        take_step(guard, math.nan, make_optimizer())


@pytest.mark.parametrize("action", ["stop", "return", "skip"])
def test_a_fused_optimizer_skips_a_bad_step_without_waiting_for_the_device(action: str) -> None:
    """As on a GPU, tried with the processor's fused optimizer."""
    guard, optimizer = make_guard(action), make_optimizer(fused=True)
    before = weights(optimizer)
    # Training that ends leaves the weights as they were before the first failure.
    for norm, moves in ((math.nan, False), (1.0, action == "skip")):
        fill_gradients(optimizer, norm)
        guard.skip_on_device(torch.tensor(norm), optimizer)
        optimizer.step()
        assert same(before, weights(optimizer)) is not moves
        assert all_finite(weights(optimizer))


@pytest.mark.parametrize("action", ["stop", "return", "skip"])
def test_norms_that_are_read_later_name_the_step_that_failed(action: str, monkeypatch: Any) -> None:
    """As on a GPU, where nothing is read before a check."""
    guard, optimizer = make_guard(action), make_optimizer(fused=True)
    monkeypatch.setattr(StepGuard, "check", lambda self, *, scaled: False)
    for number, norm in enumerate([1.0, math.nan, 1.0, math.nan]):
        take_step(guard, norm, optimizer, number=number)
    monkeypatch.undo()
    if action == "skip":
        guard.check(scaled=False)
        assert guard.report == [(1, True), (3, True)]
        assert guard.skipped == 2
        return
    with pytest.raises(DivergenceError) as caught:
        guard.check(scaled=False)
    assert caught.value.step == 1


@pytest.mark.parametrize("action", ["stop", "skip"])
def test_a_gradient_scaler_may_skip_forty_steps_in_a_row_but_not_more(action: str) -> None:
    guard, optimizer = make_guard(action), make_optimizer()
    for number in range(40):
        take_step(guard, math.inf, optimizer, number=number, scaled=True)
        guard.check(scaled=True)
    take_step(guard, 1.0, optimizer, scaled=True)
    for number in range(41, 82):
        take_step(guard, math.inf, optimizer, number=number, scaled=True)
    with pytest.raises(DivergenceError) as caught:
        guard.check(scaled=True)
    assert caught.value.step == 41
    assert not hasattr(optimizer, "found_inf")
