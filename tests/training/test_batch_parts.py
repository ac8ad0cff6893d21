"""A batch that does not fit into memory is split: its gradients stay the same, wherever the allocation fails."""

from __future__ import annotations

import copy
import gc
import re
import subprocess
import sys
import weakref
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.config.load import dump_toml
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.model.build import build_model
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.training.batch_parts import BatchParts, ComputedLoss
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit

REFUSED = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."


class FailsInBackward(torch.autograd.Function):
    """The identity, whose backward pass finds no memory."""

    @staticmethod
    def forward(ctx, inputs: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return inputs.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        raise RuntimeError(REFUSED)


@pytest.fixture
def model() -> Seq2Seq:
    torch.manual_seed(3)
    settings = {
        "embedding_size": 8,
        "dropout": 0.0,
        "encoder": {"hidden_size": 8},
        "decoder": {"hidden_size": 8},
    }
    return build_model(ModelSettings.model_validate(settings), 20, 20).double()


@pytest.fixture
def batch() -> Batch:
    sources = [[5, 6, 7, 8], [9], [10, 11], [4, 5, 6], [7, 8]]
    targets = [[5, 6], [7, 8, 9, 10], [11], [12, 13, 14], [15]]
    return collate(sources, targets, loss_divisor=40.0)


def parts_for(model: Seq2Seq, largest: int, place: str) -> BatchParts:
    """Parts of batches of which those with more rows than `largest` fail at a place."""

    def compute(batch: Batch, part: int) -> ComputedLoss:
        failing = batch.rows > largest
        if failing and place == "forward":
            raise RuntimeError(REFUSED)
        encode = model.encode
        if failing and place == "middle of backward":
            # The decoder's parameters have their gradients already, the encoder's do not.
            def encode_badly(source: Any) -> Any:
                encoded = encode(source)
                return encoded._replace(states=FailsInBackward.apply(encoded.states))

            model.encode = encode_badly  # type: ignore[method-assign]
        try:
            loss = model.loss(batch, label_smoothing=0.1)
        finally:
            model.encode = encode  # type: ignore[method-assign]
        total = loss.total / batch.loss_divisor
        if failing and place == "start of backward":
            total = FailsInBackward.apply(total)
        return ComputedLoss(total, loss.negative_log_likelihood)

    return BatchParts(list(model.parameters()), compute, seed=lambda micro_batch, part: None, owns_graph=True)


def gradients(parts: BatchParts, model: Seq2Seq, batch: Batch, scale: float) -> tuple[list[Tensor], float]:
    model.zero_grad()
    likelihood = 0.0
    for _ in range(2):  # gradients are added to those that exist
        computed = parts.loss(batch)
        likelihood += float(computed.negative_log_likelihood)
        parts.backward(computed.loss * scale)
    return [copy.deepcopy(parameter.grad) for parameter in model.parameters()], likelihood


@pytest.mark.parametrize("largest", [1, 2, 4])
@pytest.mark.parametrize("place", ["forward", "start of backward", "middle of backward"])
def test_the_gradients_are_those_of_the_whole_batch(model, batch, place, largest) -> None:
    whole, likelihood = gradients(parts_for(model, 5, place), model, batch, 0.25)
    parts = parts_for(model, largest, place)
    split, same_likelihood = gradients(parts, model, batch, 0.25)
    assert parts.take_splits() == 2
    assert parts.take_splits() == 0
    assert same_likelihood == pytest.approx(likelihood)
    for one, other in zip(whole, split, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_a_single_pair_that_does_not_fit_is_an_error(model, batch) -> None:
    with pytest.raises(RuntimeError, match="allocate"):
        parts_for(model, 0, "forward").loss(batch)


def test_other_errors_are_raised_unchanged(model, batch) -> None:
    def broken(batch: Batch, part: int) -> ComputedLoss:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        BatchParts(
            list(model.parameters()), broken, seed=lambda micro_batch, part: None, owns_graph=True
        ).loss(batch)


def test_the_graph_is_freed_before_the_parts_are_computed(model, batch) -> None:
    alive: list[Any] = []
    graphs: list[weakref.ref[Any]] = []

    class Held:
        """Held by the graph."""

    class Holds(torch.autograd.Function):
        @staticmethod
        def forward(ctx, inputs: Tensor, held: Held) -> Tensor:  # type: ignore[no-untyped-def]
            ctx.held = held
            return inputs.clone()

        @staticmethod
        def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
            return gradient, None

    def compute(batch: Batch, part: int) -> ComputedLoss:
        gc.collect()
        alive.append(sum(graph() is not None for graph in graphs))
        loss = model.loss(batch)
        held = Held()
        graphs.append(weakref.ref(held))
        total = Holds.apply(loss.total, held)
        return ComputedLoss(
            FailsInBackward.apply(total) if part == 1 else total, loss.negative_log_likelihood
        )

    parts = BatchParts(
        list(model.parameters()), compute, seed=lambda micro_batch, part: None, owns_graph=True
    )
    computed = parts.loss(batch)
    parts.backward(computed.loss / 2)
    assert alive == [0, 0, 0]


def refuse_large_batches(patch: pytest.MonkeyPatch, largest: int) -> None:
    original = Seq2Seq.loss

    def small_memory(model: Seq2Seq, batch: Batch, label_smoothing: float = 0.0) -> Any:
        if batch.rows > largest and model.training:
            raise RuntimeError(REFUSED)
        return original(model, batch, label_smoothing)

    patch.setattr(Seq2Seq, "loss", small_memory)


def test_a_run_whose_batches_do_not_fit_reports_them_and_learns_the_same(
    make_small_run: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    settings = (
        "model.dropout=0.0",
        "training.optimizer.epsilon=0.001",
        "training.max_steps=6",
        "training.accumulate=2",
    )
    whole = fit(make_small_run(*settings), tmp_path / "whole", console=Console(quiet=True))
    refuse_large_batches(monkeypatch, 20)
    split = fit(make_small_run(*settings), tmp_path / "split")
    states = [
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
        for name in ("whole", "split")
    ]
    for name, weight in states[0].items():
        torch.testing.assert_close(weight, states[1][name], rtol=1e-4, atol=1e-5, msg=name)
    assert whole.split_batches == 0
    assert split.split_batches == 10  # of 12; two have few pairs
    shown = capsys.readouterr().err
    assert shown.count("warning: a batch of") == 1
    assert shown.count("split batches") == 1


def test_a_run_whose_pairs_do_not_fit_is_an_error(
    make_small_run: Any, output: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_large_batches(monkeypatch, 0)
    with pytest.raises(ResourceError, match=r"training\.batch_pieces"):
        fit(make_small_run(), output, console=Console(quiet=True))


# The second of two processes finds no memory: in its forward passes, and in the middle of its backward passes.
LACKS_MEMORY = """
import os

import torch

from nmt_lstm import CELLS, GatedCell
from nmt_lstm.model.encoder import SourceEncoder

REFUSED = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."
original, calls = SourceEncoder.forward, []


class Fails(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs):
        return inputs.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError(REFUSED)


def forward(encoder, source):
    encoded = original(encoder, source)
    if len(source.lengths) < 12 or not encoder.training:
        return encoded
    calls.append(source)
    if len(calls) % 2:
        raise RuntimeError(REFUSED)
    return encoded._replace(states=Fails.apply(encoded.states))


@CELLS.register("unused")
class Unused(GatedCell):
    gates = ("candidate",)
    state = ("hidden",)


if os.environ.get("LOCAL_RANK") == "1":
    SourceEncoder.forward = forward
"""


@pytest.mark.slow
def test_a_process_whose_batches_do_not_fit_stays_in_step_with_the_others(
    make_small_run: Any, tmp_path: Any
) -> None:
    settings = ("model.dropout=0.0", "training.optimizer.epsilon=0.001", "training.max_steps=8")
    run = make_small_run(*settings)
    fit(run, tmp_path / "one", console=Console(quiet=True))
    (tmp_path / "lacks_memory.py").write_text(LACKS_MEMORY)
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "nmt_lstm",
        "train",
        "run.toml",
        "-o",
        "two",
        "--plugin",
        "lacks_memory.py",
    ]
    finished = subprocess.run(
        [*command, "--devices", "2"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240
    )
    assert finished.returncode == 0, finished.stderr
    one, two = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
        for name in ("one", "two")
    )
    for name, weight in one.items():
        torch.testing.assert_close(weight, two[name], atol=1e-5, rtol=1e-4, msg=name)
    # The first process counts the batches of the second.
    (splits,) = re.findall(r"split batches +(\d+), which", finished.stderr)
    assert int(splits) >= 4
