"""Optimizers by name: what is checked before a run, exact resumption, and weights that only evaluation uses."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import nn

from nmt_lstm.config.schema import OptimizerSettings, TrainingSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback
from nmt_lstm.training.optimization import build_optimizer, check_optimizer

QUIET = Console(quiet=True)
# Schedule-free SGD (Defazio et al. 2024): gradients at y, evaluation at the average x, steps of z.
AVERAGING = '''"""An optimizer that evaluates an average."""

import torch


class Averaging(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, weight_decay=0.0, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta, "steps": 0, "trains": False})

    def _move(self, trains):
        for group in self.param_groups:
            if group["trains"] != trains:
                group["trains"] = trains
                share = 1 - group["beta"] if trains else 1 - 1 / group["beta"]
                for weight in group["params"]:
                    if weight in self.state:
                        weight.data.lerp_(self.state[weight]["z"], share)

    def train(self):
        self._move(True)

    def eval(self):
        self._move(False)

    @torch.no_grad()
    def step(self, closure=None):
        with torch.enable_grad():
            loss = None if closure is None else closure()
        for group in self.param_groups:
            assert group["trains"]
            group["steps"] += 1
            for y in group["params"]:
                if y.grad is None:
                    continue
                z = self.state[y].setdefault("z", y.clone())
                x = torch.lerp(y, z, 1 - 1 / group["beta"])
                z.sub_(y.grad, alpha=group["lr"])
                y.copy_(torch.lerp(torch.lerp(x, z, 1 / group["steps"]), z, 1 - group["beta"]))
        return loss


class NotAnOptimizer:
    def __init__(self, params, lr):
        pass


class WithoutRate(torch.optim.SGD):
    def __init__(self, params):
        super().__init__(params, lr=1.0)


class OddState(torch.optim.SGD):
    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(params, lr=lr)

    def state_dict(self):
        return {**super().state_dict(), "odd": OddState}
'''


@pytest.fixture
def own_optimizers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_optimizers.py").write_text(AVERAGING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def training(name: str, **changes: Any) -> TrainingSettings:
    ema = changes.pop("ema", 0.0)
    return TrainingSettings(ema=ema, optimizer=OptimizerSettings(name=name, **changes))


def test_sgd_takes_its_options() -> None:
    model = nn.Linear(3, 2)
    settings = OptimizerSettings(name="sgd", weight_decay=0.1, options={"momentum": 0.9, "nesterov": True})
    optimizer = build_optimizer(model, settings, fused=True)
    assert type(optimizer) is torch.optim.SGD
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    assert all(group["nesterov"] and group["momentum"] == 0.9 for group in optimizer.param_groups)


@pytest.mark.parametrize(
    ("name", "changes", "key", "word"),
    [
        ("sgd", {"options": {"momentun": 0.9}}, "options", "'momentum'"),
        ("sgd", {"options": {"momentum": "high"}}, "options", "momentum"),
        ("sgd", {"options": {"nesterov": 1}}, "options", "nesterov"),
        ("sgd", {"options": {"lr": 0.1}}, "options", "learning_rate"),
        ("sgd", {"options": {"nesterov": True}}, "name", "momentum"),
        ("adam", {"options": {"betas": [0.9, 0.99]}}, "options", "training.optimizer.betas"),
        ("no_such_module:Optimizer", {}, "name", "no_such_module"),
        ("torch.optim:Rmsprop", {}, "name", "'RMSprop'"),
        ("torch.optim:LBFGS", {"options": {"max_iter": 3}}, "name", "parameter"),
        ("own_optimizers:NotAnOptimizer", {}, "name", "zero_grad"),
        ("own_optimizers:WithoutRate", {}, "name", "'lr'"),
        ("own_optimizers:OddState", {}, "name", "resumed"),
        ("own_optimizers:Averaging", {"ema": 0.9}, "ema", "ema"),
        ("torch.optim:Rprop", {"weight_decay": 0.1}, "weight_decay", "weight_decay"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_run(
    own_optimizers: None, name: str, changes: dict[str, Any], key: str, word: str
) -> None:
    with pytest.raises(ConfigurationError, match=word) as refused:
        check_optimizer(training(name, **changes))
    assert refused.value.key.rpartition(".")[2] == key


def test_a_list_becomes_a_tuple_where_the_default_is_one() -> None:
    settings = OptimizerSettings(name="torch.optim:NAdam", options={"betas": [0.8, 0.9]})
    optimizer = build_optimizer(nn.Linear(2, 2), settings, fused=True)
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.9)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="Muon came with PyTorch 2.9")
def test_muon_updates_only_matrices_between_hidden_states() -> None:
    torch.manual_seed(1)
    model = nn.ModuleDict({"embedding": nn.Embedding(5, 3), "layer": nn.Linear(3, 3)})
    settings = OptimizerSettings(name="muon", options={"ns_steps": 10})
    optimizer = build_optimizer(model, settings, fused=True)
    by_muon = [
        weight for group in optimizer.param_groups if group["orthogonal"] for weight in group["params"]
    ]
    assert len(by_muon) == 1
    assert by_muon[0] is model["layer"].weight
    model["layer"](model["embedding"](torch.arange(5))).square().sum().backward()
    before = model["layer"].weight.detach().clone()
    optimizer.step()
    step = model["layer"].weight.detach() - before
    # An orthogonalized update changes all directions by about the same amount.
    values = torch.linalg.svdvals(step)
    assert float(values.max() / values.min()) < 2.0


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="Muon came with PyTorch 2.9")
def test_muon_of_pytorch_alone_is_explained() -> None:
    with pytest.raises(ConfigurationError, match='name = "muon"'):
        check_optimizer(training("torch.optim:Muon"))


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    original = FitCallback.after_step

    def dying(self: FitCallback, trainer: Any, module: Any, *, end_of_epoch: bool) -> None:
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(FitCallback, "after_step", dying)


NAMES = {
    "sgd": ("training.optimizer.name=sgd", "training.optimizer.options.momentum=0.9", "training.ema=0.9"),
    "muon": ("training.optimizer.name=muon",),
    "averaging": ("training.optimizer.name=own_optimizers:Averaging",),
    "schedulefree": ("training.optimizer.name=schedulefree:AdamWScheduleFree",),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_run_resumes_exactly_with_each_optimizer(
    own_optimizers: None,
    make_small_run: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    if name == "muon" and not hasattr(torch.optim, "Muon"):
        pytest.skip("Muon came with PyTorch 2.9")
    if name == "schedulefree" and not importlib.util.find_spec("schedulefree"):
        pytest.skip("schedulefree is not installed")
    run = make_small_run(
        *NAMES[name],
        "training.max_steps=6",
        "training.validate_every=3",
        "training.checkpoint_every=2",
        "training.average=last",
    )
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fit(run, whole, console=QUIET)
    with monkeypatch.context() as patch:
        kill_at(4, patch)
        with pytest.raises(BaseException):  # noqa: B017 - Lightning turns it into a SystemExit of its own
            fit(run, parts, console=QUIET)
    fit(run, parts, resume=True, console=QUIET)
    ends = [read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in (whole, parts)]
    for weight in ends[0]["state_dict"]:
        assert torch.equal(ends[0]["state_dict"][weight], ends[1]["state_dict"][weight]), weight
    assert (whole / "model.safetensors").read_bytes() == (parts / "model.safetensors").read_bytes()
    recorded = json.loads((whole / "metrics.json").read_text(encoding="utf-8"))
    assert recorded.get("optimizer", {}).get("name", name) in (name, NAMES[name][0].partition("=")[2])


def test_changed_options_are_another_run(make_small_run: Any, output: Path) -> None:
    settings = ("training.optimizer.name=sgd", "training.max_steps=2")
    fit(make_small_run(*settings), output, console=QUIET)
    changed = make_small_run(*settings, "training.optimizer.options.momentum=0.9")
    with pytest.raises(ConfigurationError, match="options"):
        fit(changed, output, resume=True, console=QUIET)


def test_validation_does_not_change_the_weights_of_training(
    own_optimizers: None, make_small_run: Any, tmp_path: Path
) -> None:
    """Nor is what is saved the weights of training."""
    ends = []
    for every in (2, 6):
        run = make_small_run(
            "training.optimizer.name=own_optimizers:Averaging",
            "training.max_steps=6",
            f"training.validate_every={every}",
            "training.average=none",
        )
        folder = tmp_path / str(every)
        fit(run, folder, console=QUIET)
        ends.append(read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"])
    for name, weight in ends[0].items():
        assert torch.equal(weight, ends[1][name]), name
    from nmt_lstm import ModelFolder

    saved = ModelFolder.read(tmp_path / "6").load_model().state_dict()
    assert any(
        not torch.equal(saved[name.removeprefix("model.")], weight) for name, weight in ends[1].items()
    )


def test_an_optimizer_whose_step_fails_is_refused_before_training() -> None:
    settings = TrainingSettings.model_validate({"optimizer": {"name": "torch.optim:SparseAdam"}})
    with pytest.raises(ConfigurationError, match="first step fails"):
        check_optimizer(settings)
