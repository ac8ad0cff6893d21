"""A run on corpora with weights and tags resumes at exactly the same batch, in an epoch of different pairs each time."""

from __future__ import annotations

import pytest
from rich.console import Console

from nmt_lstm.config.load import make_run
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback

QUIET = Console(quiet=True)


class Killed(BaseException):
    """Ends a run like a kill: nothing is saved."""


@pytest.fixture
def weighted(make_small_run, parallel_files):
    """Return a function that makes a run on two corpora, the second with this weight."""

    def make(weight, *overrides):
        values = make_small_run(
            "training.epochs=3", "training.validate_every=4", "training.checkpoint_every=2", *overrides
        ).model_dump(mode="json", exclude_none=True)
        pair = {"source": str(parallel_files.train_source), "target": str(parallel_files.train_target)}
        reverse = {"source": pair["target"], "target": pair["source"]}
        for key in ("train_source", "train_target"):
            del values["data"][key]
        values["data"]["corpora"] = [{**pair, "tag": "<1>"}, {**reverse, "tag": "<2>", "weight": weight}]
        return make_run(values)

    return make


def test_a_killed_run_resumes_exactly(weighted, tmp_path, monkeypatch) -> None:
    run = weighted(0.4)
    fit(run, tmp_path / "whole", console=QUIET)
    original = FitCallback.after_step

    def dying(self, trainer, module, *, end_of_epoch):
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == 13:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FitCallback, "after_step", dying)
        with pytest.raises(Killed):
            fit(run, tmp_path / "killed", console=QUIET)
    with pytest.raises(ConfigurationError, match=r"data.corpora.weight.*1.0, 0.4"):
        fit(weighted(0.5), tmp_path / "killed", resume=True, console=QUIET)
    with pytest.raises(ConfigurationError, match=r"data.corpora.weight was \[1.0, 0.4\] and is \[1.0, 1.0\]"):
        fit(weighted(1.0), tmp_path / "killed", resume=True, console=QUIET)
    fit(run, tmp_path / "killed", resume=True, console=QUIET)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
