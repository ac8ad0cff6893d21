"""A run that diverges stops at the step where it happens, and can be resumed from an earlier checkpoint."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nmt_lstm.errors import DivergenceError
from nmt_lstm.model.loss import Loss
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.divergence import all_finite, with_nan_gradient_unless_finite
from nmt_lstm.training.fit import fit

QUIET = Console(quiet=True)
HUGE = ("training.optimizer.learning_rate=1e38", "training.clip_norm=0", "training.schedule.warmup_steps=0")


def assert_finite(checkpoint: Path) -> None:
    assert all_finite(read_checkpoint(checkpoint)["state_dict"].values())


def test_divergence_before_the_first_update_is_not_blamed_on_the_learning_rate(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Seq2Seq.loss

    def not_finite(network: Seq2Seq, *arguments: Any, **named: Any) -> Loss:
        loss = original(network, *arguments, **named)
        return loss._replace(total=loss.total * math.nan)

    monkeypatch.setattr(Seq2Seq, "loss", not_finite)
    with pytest.raises(DivergenceError, match="plugins check") as caught:
        fit(make_small_run("training.epochs=1"), output, console=QUIET)
    assert caught.value.step == 0
    assert "learning_rate=" not in str(caught.value)


@pytest.mark.parametrize("checkpoint_every", [0, 1])
def test_a_huge_learning_rate_does_not_damage_checkpoints(
    make_small_run: Any, output: Path, checkpoint_every: int
) -> None:
    every = f"training.checkpoint_every={checkpoint_every}"
    completed = fit(make_small_run("training.epochs=1", every), output, console=QUIET).steps
    last = output / "checkpoints" / "last.ckpt"
    model = (output / "model.safetensors").read_bytes()
    with pytest.raises(DivergenceError, match="learning rate") as caught:
        fit(make_small_run("training.epochs=2", every, *HUGE), output, resume=True, console=QUIET)
    assert completed < caught.value.step <= completed + 2
    assert "--resume" in str(caught.value)
    assert "training.optimizer.learning_rate=0.001 --set training.clip_norm=1" in str(caught.value)
    assert_finite(last)
    assert (output / "model.safetensors").read_bytes() == model
    # The advice works.
    resumed = fit(
        make_small_run("training.epochs=2", every, "training.optimizer.learning_rate=0.001"),
        output,
        resume=True,
        console=QUIET,
    )
    assert math.isfinite(resumed.metrics["loss"])
    assert resumed.steps > caught.value.step
    assert {file.name for file in last.parent.glob("*ckpt*")} == {"before-last.ckpt", "last.ckpt"}


def test_a_run_that_diverges_at_once_can_be_started_again(make_small_run: Any, output: Path) -> None:
    with pytest.raises(DivergenceError, match="No checkpoint"):
        fit(make_small_run(*HUGE), output, console=QUIET)
    assert fit(make_small_run("training.max_steps=2"), output, console=QUIET).steps == 2


def test_a_bad_step_does_not_change_the_weights(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad batch after good ones: it reaches neither the weights nor the optimizer."""
    from nmt_lstm.training.module import TranslationModule

    original, modules = TranslationModule.training_step, []

    def bad(self: TranslationModule, batch: Any, batch_idx: int) -> torch.Tensor:
        loss = original(self, batch, batch_idx)
        if self.global_step == 3:
            modules.append(self)
            return with_nan_gradient_unless_finite(loss + math.inf)
        return loss

    monkeypatch.setattr(TranslationModule, "training_step", bad)
    with pytest.raises(DivergenceError) as caught:
        fit(make_small_run(), output, console=QUIET)
    assert caught.value.step == 3
    assert all_finite(modules[0].model.state_dict().values())


def test_weights_whose_validation_is_not_finite_are_not_saved(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Seq2Seq.loss

    def overflowing(self: Seq2Seq, *arguments: Any, **named: Any) -> Loss:
        loss = original(self, *arguments, **named)
        return loss if self.training else loss._replace(negative_log_likelihood=torch.tensor(math.nan))

    monkeypatch.setattr(Seq2Seq, "loss", overflowing)
    with pytest.raises(DivergenceError, match="validation"):
        fit(make_small_run("training.epochs=1"), output, console=QUIET)
    assert not (output / "manifest.json").exists()
    assert not list((output / "checkpoints").glob("*"))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_loss_that_is_not_finite_has_no_finite_gradient(value: float) -> None:
    weight = torch.ones(1, requires_grad=True)
    with_nan_gradient_unless_finite((weight + value).sum()).backward()
    assert not torch.isfinite(weight.grad).any()


def test_a_finite_loss_keeps_its_value_and_gradient_to_the_bit() -> None:
    weights = torch.randn(50, dtype=torch.float64, requires_grad=True)
    plain = (weights**2).sum()
    plain.backward()
    gradient = weights.grad.clone()
    weights.grad = None
    guarded = with_nan_gradient_unless_finite((weights**2).sum())
    guarded.backward()
    assert torch.equal(plain, guarded)
    assert torch.equal(gradient, weights.grad)
