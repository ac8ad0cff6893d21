"""Callbacks by name: their options, their hooks, their state in a checkpoint, and their failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping
from rich.console import Console

from nmt_lstm.errors import CallbackError, ConfigurationError
from nmt_lstm.training.callbacks import build_callbacks
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit

QUIET = Console(quiet=True)
OWN = '''"""Callbacks of a user."""

import pytorch_lightning as pl


class Counts(pl.Callback):
    def __init__(self, limit: int = 0) -> None:
        self.limit, self.steps, self.scores = limit, 0, []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.steps += 1
        if self.steps == self.limit:
            trainer.should_stop = True

    def on_validation_end(self, trainer, pl_module):
        self.scores.append(float(trainer.callback_metrics["valid_loss"]))

    def state_dict(self):
        return {"steps": self.steps, "scores": self.scores}

    def load_state_dict(self, state):
        self.steps, self.scores = state["steps"], state["scores"]


class Fails(pl.Callback):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        raise KeyError("lost")


class OddState(pl.Callback):
    def state_dict(self):
        return {"class": OddState}
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_callbacks.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def callbacks(*items: str) -> str:
    return f"training.callbacks=[{', '.join(items)}]"


def test_a_callback_sees_steps_and_validations_and_is_resumed(
    own: None, make_small_run: Any, output: Path
) -> None:
    for steps in (2, 3):
        run = make_small_run(callbacks('"own_callbacks:Counts"'), f"training.max_steps={steps}")
        fit(run, output, resume=True, console=QUIET)
        states = read_checkpoint(output / "checkpoints" / "last.ckpt")["callbacks"]
        assert states["Counts"]["steps"] == steps
    assert len(states["Counts"]["scores"]) == 2


def test_a_callback_can_stop_the_run(own: None, make_small_run: Any, output: Path) -> None:
    item = '{name = "own_callbacks:Counts", options = {limit = 3}}'
    result = fit(make_small_run(callbacks(item)), output, console=QUIET)
    assert (result.steps, result.reason) == (3, "a callback stopped it")
    assert (output / "manifest.json").exists()


def test_early_stopping_of_lightning_works(make_small_run: Any, output: Path) -> None:
    stopping = EarlyStopping(
        "valid_loss", min_delta=100.0, patience=1, check_on_train_epoch_end=False, verbose=False
    )
    run = make_small_run("training.epochs=50", "training.validate_every=2")
    result = fit(run, output, console=QUIET, callbacks=[stopping])
    assert result.steps == 4


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ('"own_callbacks:Count"', "'Counts'"),
        ('{name = "own_callbacks:Counts", options = {limt = 3}}', "'limit'"),
        ('"fractions:Fraction"', "not a callback"),
    ],
)
def test_what_is_no_callback_is_refused(own: None, make_small_run: Any, item: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        build_callbacks(make_small_run(callbacks(item)).training)


def test_a_name_must_be_that_of_a_class(make_small_run: Any) -> None:
    with pytest.raises(ConfigurationError, match="package.module:Class"):
        make_small_run(callbacks('"EarlyStopping"'))


def test_a_state_that_could_not_be_read_again_is_refused(
    own: None, make_small_run: Any, output: Path
) -> None:
    with pytest.raises(ConfigurationError, match="OddState"):
        fit(make_small_run(callbacks('"own_callbacks:OddState"')), output, console=QUIET)


def test_a_second_keeper_of_checkpoints_is_refused(make_small_run: Any, output: Path) -> None:
    run = make_small_run(callbacks('"pytorch_lightning.callbacks:ModelCheckpoint"'))
    with pytest.raises(ConfigurationError, match="checkpoint_every"):
        fit(run, output, console=QUIET)


def test_a_failure_names_the_callback_and_its_line(own: None, make_small_run: Any, output: Path) -> None:
    with pytest.raises(CallbackError, match="lost") as caught:
        fit(make_small_run(callbacks('"own_callbacks:Fails"')), output, console=QUIET)
    assert caught.value.callback == "Fails"
    assert "own_callbacks.py', line" in caught.value.location


def test_other_failures_stay_as_they_are(make_small_run: Any, output: Path, monkeypatch: Any) -> None:
    class Quiet(pl.Callback):
        pass

    def fails(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("elsewhere")

    monkeypatch.setattr("nmt_lstm.training.fit_callback.FitCallback.after_step", fails)
    with pytest.raises(RuntimeError, match="elsewhere"):
        fit(make_small_run(), output, console=QUIET, callbacks=[Quiet()])
