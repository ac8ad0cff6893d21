"""Runs that diverge and continue: by skipping steps, or from an earlier checkpoint with half the learning rate."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.errors import DivergenceError
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.training.csv_log import read_log
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback
from nmt_lstm.training.module import TranslationModule

QUIET = Console(quiet=True)
EVERY = ("training.checkpoint_every=2", "training.ema=0.9", "training.epochs=2")


class Killed(BaseException):
    """Ends a run like a kill: nothing is saved."""


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives the loss of some steps another value, perhaps only at some learning rates."""
    original = TranslationModule.training_step

    def spoil(
        *steps: int, factor: float = math.nan, above_rate: float = 0.0, micro_batch: int | None = None
    ) -> None:
        def spoilt(module: TranslationModule, batch: Any, batch_idx: int) -> Any:
            loss = Seq2Seq.loss
            accumulated = batch_idx % module.trainer.accumulate_grad_batches
            peak = module.schedule.peak * module.guard.rate_factor
            if module.global_step in steps and peak > above_rate and micro_batch in (None, accumulated):

                def wrong(network: Seq2Seq, *arguments: Any, **named: Any) -> Any:
                    right = loss(network, *arguments, **named)
                    return right._replace(
                        total=right.total * factor,
                        negative_log_likelihood=right.negative_log_likelihood * factor,
                    )

                monkeypatch.setattr(Seq2Seq, "loss", wrong)
            try:
                return original(module, batch, batch_idx)
            finally:
                monkeypatch.setattr(Seq2Seq, "loss", loss)

        monkeypatch.setattr(TranslationModule, "training_step", spoilt)

    return spoil


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run die after an optimizer step."""
    original = FitCallback.after_step

    def dying(self: FitCallback, trainer: Any, module: Any, *, end_of_epoch: bool) -> None:
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == step:
            raise Killed

    monkeypatch.setattr(FitCallback, "after_step", dying)


def files(output: Path) -> list[str]:
    return sorted(file.name for file in (output / "logs").glob("divergence-*"))


def model(output: Path) -> bytes:
    return (output / "model.safetensors").read_bytes()


def test_skipped_steps_are_counted_reported_and_written(
    make_small_run: Any, output: Path, spoil: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt_lstm.training.module._STEPS_BETWEEN_LOGS", 2)
    spoil(4, 9, factor=1e30, micro_batch=1)
    text = io.StringIO()
    run = make_small_run("training.on_divergence=skip", "training.accumulate=2", *EVERY)
    result = fit(run, output, console=Console(file=text, width=300))
    assert (result.skipped_steps, result.returns) == (2, 0)
    assert files(output) == ["divergence-step-10.json", "divergence-step-5.json"]
    assert text.getvalue().count("warning: step ") == 2
    assert "divergence-step-5.json" in text.getvalue()
    assert "skipped steps" in text.getvalue()
    rows = {int(row["step"]): row for row in read_log(output) if row["train_loss"]}
    assert (rows[4]["skipped_steps"], rows[6]["skipped_steps"], rows[10]["skipped_steps"]) == (
        "0.0",
        "1.0",
        "2.0",
    )
    assert all(math.isfinite(float(row["train_loss"])) for row in rows.values())
    assert all(math.isfinite(point.train_loss) for point in result.curve)
    content = json.loads((output / "logs" / "divergence-step-5.json").read_text(encoding="utf-8"))
    assert (content["step"], content["epoch"]) == (5, 1)
    assert content["gradient_norm"] == "nan"
    sound, bad = content["batches"]
    assert sound["loss"] < 10.0 < 1e20 < bad["loss"]
    lines = run.data.train_source.read_text(encoding="utf-8").splitlines()
    for pair in bad["pairs"]:
        assert pair["source"] in lines
        assert len(pair["source_pieces"]) > 1
        assert len(pair["target_pieces"]) > 1


def test_a_run_that_skips_steps_resumes_exactly(
    make_small_run: Any,
    output: Path,
    tmp_path: Path,
    spoil: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(4, 5, 9)
    run = make_small_run("training.on_divergence=skip", *EVERY)
    whole = fit(run, tmp_path / "whole", console=QUIET)
    for step in (5, 11):  # between the first and the second of a row, after which step 4 is repeated
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            with pytest.raises(Killed):
                fit(run, output, resume=True, console=QUIET)
    resumed = fit(run, output, resume=True, console=QUIET)
    assert whole.skipped_steps == resumed.skipped_steps == 3
    assert files(output) == files(tmp_path / "whole")
    assert model(output) == model(tmp_path / "whole")


@pytest.mark.parametrize("action", ["skip", "return"])
def test_norms_that_are_read_later_lead_to_the_same_weights(
    make_small_run: Any,
    output: Path,
    tmp_path: Path,
    spoil: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    """As on a GPU, tried with the processor's fused optimizer."""
    spoil(4, 7, above_rate=0.006 if action == "return" else 0.0)
    run = make_small_run(
        f"training.on_divergence={action}", "training.checkpoint_every=3", "training.epochs=2"
    )
    at_once = fit(run, tmp_path / "once", console=QUIET)
    monkeypatch.setattr("nmt_lstm.training.step_guard.must_not_wait", lambda _: True)
    later = fit(run, output, console=QUIET)
    assert (later.skipped_steps, later.returns) == (at_once.skipped_steps, at_once.returns)
    assert files(output) == files(tmp_path / "once")
    assert model(output) == model(tmp_path / "once")


def test_too_many_skipped_steps_in_a_row_end_the_run(
    make_small_run: Any, output: Path, spoil: Callable[..., None]
) -> None:
    spoil(4, 5, 6)
    run = make_small_run("training.on_divergence=skip", "training.divergence_limit=2", *EVERY)
    with pytest.raises(DivergenceError, match="divergence_limit allows 2") as caught:
        fit(run, output, console=QUIET)
    assert caught.value.step == 4
    assert caught.value.batch == output / "logs" / "divergence-step-7.json"
    assert caught.value.batch.exists()
    assert str(caught.value.batch) in str(caught.value)


def test_a_run_returns_to_its_checkpoint_with_half_the_learning_rate(
    make_small_run: Any,
    output: Path,
    tmp_path: Path,
    spoil: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nmt_lstm.training.module._STEPS_BETWEEN_LOGS", 1)
    spoil(9, above_rate=0.004)
    text = io.StringIO()
    run = make_small_run("training.on_divergence=return", *EVERY)
    result = fit(run, output, console=Console(file=text, width=400))
    assert (result.returns, result.skipped_steps) == (2, 0)
    assert text.getvalue().count("Returning to the checkpoint of step 8") == 2
    assert text.getvalue().count("0.25 times") == 1
    assert text.getvalue().count("training pairs") == 1
    assert files(output) == ["divergence-step-10-return-1.json", "divergence-step-10.json"]
    rows = [row for row in read_log(output) if row["train_loss"]]
    assert [int(row["step"]) for row in rows] == list(range(1, result.steps + 1))
    assert [row["returns"] for row in rows] == ["0.0"] * 8 + ["2.0"] * (len(rows) - 8)
    rates = [float(row["learning_rate"]) for row in rows]
    assert rates[8] < 0.3 * rates[7]
    # A kill after the return changes nothing, and neither does one before it.
    for step in (9, 12):
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            with pytest.raises(Killed):
                fit(run, tmp_path / "killed", resume=True, console=QUIET)
    resumed = fit(run, tmp_path / "killed", resume=True, console=QUIET)
    assert resumed.returns == 2
    assert model(tmp_path / "killed") == model(output)
    assert [row["train_loss"] for row in read_log(tmp_path / "killed")] == [
        row["train_loss"] for row in read_log(output)
    ]


def test_a_run_without_a_checkpoint_returns_to_its_beginning(
    make_small_run: Any, output: Path, tmp_path: Path, spoil: Callable[..., None]
) -> None:
    spoil(2, above_rate=0.006)
    settings = ("training.on_divergence=return", "training.epochs=1", "training.max_steps=5")
    result = fit(make_small_run(*settings), output, console=QUIET)
    assert result.returns == 1
    # As a run with this learning rate from the beginning.
    halved = make_small_run(*settings, "training.optimizer.learning_rate=0.005")
    fit(halved, tmp_path / "halved", console=QUIET)
    assert model(output) == model(tmp_path / "halved")


def test_a_step_that_always_fails_after_the_checkpoint_is_approached_from_the_one_before(
    make_small_run: Any, output: Path, spoil: Callable[..., None]
) -> None:
    spoil(8)
    text = io.StringIO()
    run = make_small_run("training.on_divergence=return", "training.divergence_limit=2", *EVERY)
    with pytest.raises(DivergenceError, match=r"2 times[\s\S]*training.optimizer.learning_rate") as caught:
        fit(run, output, console=Console(file=text, width=400))
    assert caught.value.step == 8
    returned = [
        line.split("checkpoint of step ")[1][0]
        for line in text.getvalue().splitlines()
        if "Returning" in line
    ]
    assert returned[0] == "6"
    assert len(returned) == 2


def test_a_validation_loss_far_above_guessing_is_a_reason_to_return(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Seq2Seq.loss
    validations = []

    def large(self: Seq2Seq, *arguments: Any, **named: Any) -> Any:
        loss = original(self, *arguments, **named)
        if self.training:
            return loss
        validations.append(loss)
        factor = 100.0 if len(validations) == 2 else 1.0
        return loss._replace(negative_log_likelihood=loss.negative_log_likelihood * factor)

    monkeypatch.setattr(Seq2Seq, "loss", large)
    result = fit(make_small_run("training.on_divergence=return", *EVERY), output, console=QUIET)
    assert result.returns == 1
    assert all(point.loss < 10.0 for point in result.curve)


def test_a_run_that_stops_names_the_file_with_the_batch(
    make_small_run: Any, output: Path, spoil: Callable[..., None]
) -> None:
    spoil(3)
    with pytest.raises(DivergenceError) as caught:
        fit(make_small_run(), output, console=QUIET)
    assert caught.value.batch == output / "logs" / "divergence-step-4.json"
    assert json.loads(caught.value.batch.read_text(encoding="utf-8"))["loss"] == "nan"
    spoil()
    fit(make_small_run("training.max_steps=2"), output, console=QUIET)
    assert not files(output)
