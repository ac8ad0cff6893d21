"""A training that diverges stops at the step where it happens, and can be resumed from before."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import nn

from nmt_lstm.errors import DivergenceError
from nmt_lstm.model.loss import Loss
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.training.checkpoint_files import read_checkpoint
from nmt_lstm.training.divergence import GradientWatch, all_finite, poisoned
from nmt_lstm.training.fit import fit

QUIET = Console(quiet=True)
HUGE = ("training.optimizer.learning_rate=1e38", "training.clip_norm=0", "training.schedule.warmup_steps=0")


def assert_finite(checkpoint: Path) -> None:
    assert all_finite(read_checkpoint(checkpoint)["state_dict"].values())


def test_what_is_not_finite_before_the_first_update_is_no_matter_of_the_rate(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_network = Seq2Seq.loss

    def spoiled(network: Seq2Seq, *given: Any, **named: Any) -> Loss:
        loss = of_network(network, *given, **named)
        return loss._replace(total=loss.total * math.nan)

    monkeypatch.setattr(Seq2Seq, "loss", spoiled)
    with pytest.raises(DivergenceError, match="plugins check") as stopped:
        fit(make_small_run("training.epochs=1"), output, console=QUIET)
    assert stopped.value.step == 0
    assert "learning_rate=" not in str(stopped.value)


@pytest.mark.parametrize("checkpoint_every", [0, 1])
def test_a_huge_learning_rate_spoils_no_checkpoint(
    make_small_run: Any, output: Path, checkpoint_every: int
) -> None:
    every = f"training.checkpoint_every={checkpoint_every}"
    done = fit(make_small_run("training.epochs=1", every), output, console=QUIET).steps
    last = output / "checkpoints" / "last.ckpt"
    model = (output / "model.safetensors").read_bytes()
    with pytest.raises(DivergenceError, match="learning rate") as stopped:
        fit(make_small_run("training.epochs=2", every, *HUGE), output, resume=True, console=QUIET)
    assert done < stopped.value.step <= done + 2
    assert "--resume" in str(stopped.value)
    assert "training.optimizer.learning_rate=0.001 --set training.clip_norm=1" in str(stopped.value)
    assert_finite(last)
    assert (output / "model.safetensors").read_bytes() == model
    # The advice can be followed.
    found = fit(
        make_small_run("training.epochs=2", every, "training.optimizer.learning_rate=0.001"),
        output,
        resume=True,
        console=QUIET,
    )
    assert math.isfinite(found.metrics["loss"])
    assert found.steps > stopped.value.step
    assert sorted(file.name for file in last.parent.iterdir() if "ckpt" in file.name) == ["last.ckpt"]


def test_a_training_that_diverges_at_once_can_be_started_again(make_small_run: Any, output: Path) -> None:
    with pytest.raises(DivergenceError, match="Nothing was saved before"):
        fit(make_small_run(*HUGE), output, console=QUIET)
    assert fit(make_small_run("training.max_steps=2"), output, console=QUIET).steps == 2


def test_the_weights_are_those_before_the_step(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad batch after some good ones: nothing of it reaches the weights or the optimizer."""
    from nmt_lstm.training.module import TranslationModule

    original, kept = TranslationModule.training_step, []

    def bad(self: TranslationModule, batch: Any, batch_idx: int) -> torch.Tensor:
        loss = original(self, batch, batch_idx)
        if self.global_step == 3:
            kept.append(self)
            return poisoned(loss + math.inf)
        return loss

    monkeypatch.setattr(TranslationModule, "training_step", bad)
    with pytest.raises(DivergenceError) as stopped:
        fit(make_small_run(), output, console=QUIET)
    assert stopped.value.step == 3
    assert all_finite(kept[0].model.state_dict().values())


def test_a_validation_that_is_not_finite_keeps_nothing(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nmt_lstm.model.seq2seq import Seq2Seq

    original = Seq2Seq.loss

    def overflowing(self: Seq2Seq, *arguments: Any, **named: Any) -> Loss:
        found = original(self, *arguments, **named)
        return found if self.training else found._replace(negative_log_likelihood=torch.tensor(math.nan))

    monkeypatch.setattr(Seq2Seq, "loss", overflowing)
    with pytest.raises(DivergenceError, match="validation"):
        fit(make_small_run("training.epochs=1"), output, console=QUIET)
    assert not (output / "manifest.json").exists()
    assert not list((output / "checkpoints").glob("*"))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_loss_that_is_not_finite_has_no_finite_gradient(value: float) -> None:
    weight = torch.ones(1, requires_grad=True)
    poisoned((weight + value).sum()).backward()
    assert not torch.isfinite(weight.grad).any()


def test_a_finite_loss_keeps_its_value_and_gradient_to_the_bit() -> None:
    weights = torch.randn(50, dtype=torch.float64, requires_grad=True)
    plain = (weights**2).sum()
    plain.backward()
    before = weights.grad.clone()
    weights.grad = None
    again = poisoned((weights**2).sum())
    again.backward()
    assert torch.equal(plain, again)
    assert torch.equal(before, weights.grad)


def test_a_device_that_nobody_waits_for_skips_the_step_by_itself() -> None:
    """The kernel's way, tried on the processor's fused optimizer by calling the norm one of another device."""
    layer = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, fused=True)
    watch = GradientWatch()
    before = [weight.detach().clone() for weight in layer.parameters()]
    for norm, moves in ((math.nan, False), (1.0, True)):
        for weight in layer.parameters():
            weight.grad = torch.full_like(weight, norm)
        seen = torch.tensor(norm)
        watch._skip(seen, optimizer, scaled=False)
        optimizer.step()
        now = list(layer.parameters())
        assert all(torch.equal(a, b) for a, b in zip(before, now, strict=True)) is not moves
        assert all_finite(now)
    # The step after the failed one does not make it good.
    assert watch.failed_steps(scaled=False) == 2


def test_steps_that_a_gradient_scaler_skips_are_normal_unless_they_never_end() -> None:
    watch, optimizer = GradientWatch(), torch.optim.Adam(nn.Linear(2, 1).parameters())
    for _ in range(40):
        assert not watch.observe(torch.tensor(math.inf), optimizer, scaled=True)
        assert watch.failed_steps(scaled=True) == 0
    watch.observe(torch.tensor(1.0), optimizer, scaled=True)
    for _ in range(41):
        watch.observe(torch.tensor(math.inf), optimizer, scaled=True)
    assert watch.failed_steps(scaled=True) == 41
    assert not hasattr(optimizer, "found_inf")
