"""Each cell, wiring and attention learns to copy, reverse and sort digits from examples."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from nmt_lstm.batching.batch import collate, source_batch
from nmt_lstm.config.schema import ModelSettings, OptimizerSettings, SearchSettings
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.model.build import build_model
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.text.special_pieces import PAD, SPECIAL_PIECES
from nmt_lstm.training.optimization import build_optimizer, clip_gradients

pytestmark = pytest.mark.spread

DIGITS = range(len(SPECIAL_PIECES), len(SPECIAL_PIECES) + 10)


@dataclass(frozen=True)
class Task:
    """A function of digit sequences, and how long to train on it."""

    answer: Callable[[list[int]], list[int]]
    longest: int
    steps: int
    learning_rate: float


TASKS = {
    "copy": Task(list, longest=8, steps=200, learning_rate=0.01),
    "reverse": Task(lambda digits: digits[::-1], longest=8, steps=200, learning_rate=0.01),
    # Counting ten kinds of digits is harder: shorter sequences, smaller steps, more of them.
    "sort": Task(sorted, longest=5, steps=500, learning_rate=0.005),
}


def names(registry: Any, *, stock: bool) -> list[str]:
    return [entry.name for entry in registry.entries() if (entry.distribution == "nmt-lstm") is stock]


def examples(task: Task, count: int, draw: random.Random) -> tuple[list[list[int]], list[list[int]]]:
    sources = [draw.choices(DIGITS, k=draw.randint(2, task.longest)) for _ in range(count)]
    return sources, [task.answer(source) for source in sources]


def train(
    task: Task,
    *,
    cell: str = "lstm",
    wiring: str = "gnmt",
    attention: str = "bilinear",
    encoder: str = "recurrent",
    tied: str = "all",
    pieces: int = DIGITS.stop,
) -> Seq2Seq:
    torch.manual_seed(1)
    settings = ModelSettings.model_validate(
        {
            "embedding_size": 32,
            "dropout": 0.0,
            "tied_embeddings": tied,
            "encoder": {"name": encoder, "cell": cell, "hidden_size": 48},
            "decoder": {"cell": cell, "hidden_size": 48, "wiring": wiring},
            "attention": {"name": attention},
        }
    )
    labels = collate(*examples(task, 64, random.Random(2))).target_outputs.flatten()
    counts = torch.bincount(labels[labels != PAD], minlength=pieces)
    model = build_model(settings, pieces, pieces, target_counts=counts).train()
    optimizer = build_optimizer(model, OptimizerSettings(), fused=True)
    draw = random.Random(1)
    for step in range(task.steps):
        for group in optimizer.param_groups:
            group["lr"] = task.learning_rate * min(1.0, (step + 1) / 20) * max(0.05, 1 - step / task.steps)
        batch = collate(*examples(task, 64, draw))
        optimizer.zero_grad()
        (model.loss(batch).total / batch.loss_divisor).backward()
        clip_gradients(model, largest_norm=1.0, largest_value=0.0)
        optimizer.step()
    return model.eval()


def exact_matches(task: Task, model: Seq2Seq) -> float:
    """The share of new sequences that greedy search answers correctly."""
    sources, answers = examples(task, 200, random.Random(99))
    results = beam_search(model, source_batch(sources), SearchSettings(beam_size=1))
    return sum(list(best.pieces) == answer for (best,), answer in zip(results, answers, strict=True)) / len(
        sources
    )


def variants(*, plugins: bool) -> list[dict[str, str]]:
    """The default network, and those that differ from it in one component, if requested also from plugins."""
    cells, attentions = (
        [name for stock in ((True, False) if plugins else (True,)) for name in names(registry, stock=stock)]
        for registry in (CELLS, ATTENTIONS)
    )
    choices = {
        "cell": cells,
        "wiring": WIRINGS,
        "attention": [name for name in attentions if name != "none"],
        "encoder": ["recurrent", *(names(ENCODERS, stock=False) if plugins else [])],
    }
    default = {"cell": "lstm", "wiring": "gnmt", "attention": "bilinear", "encoder": "recurrent"}
    changed = [{**default, key: name} for key, names in choices.items() for name in names]
    return [default, *(variant for variant in changed if variant != default)]


QUICK = {
    ("copy", "lstm-gnmt-bilinear"),
    ("reverse", "rnn-gnmt-bilinear"),
    ("sort", "lstm-gnmt-dot"),
}


def cases() -> list[Any]:
    parameters = []
    for name in TASKS:
        for variant in variants(plugins=name == "copy"):
            title = "-".join(value for key, value in variant.items() if value != "recurrent")
            marks = [] if (name, title) in QUICK else [pytest.mark.slow]
            if (
                marks and name != "copy"
            ):  # every component learns to copy in each run; the harder tasks take longer
                marks.append(pytest.mark.long)
            parameters.append(pytest.param(name, variant, id=f"{name}-{title}", marks=marks))
    return parameters


@pytest.mark.parametrize(("name", "variant"), cases())
def test_the_network_solves_the_task(name: str, variant: dict[str, str]) -> None:
    task = TASKS[name]
    if variant["cell"] in names(CELLS, stock=False):
        # Small cells remember less in 48 units, so cells of plugins are trained longer.
        task = replace(task, steps=2 * task.steps)
    assert exact_matches(task, train(task, **variant)) >= 0.9


def test_an_untrained_network_does_not_solve_the_task() -> None:
    task = Task(list, longest=8, steps=0, learning_rate=0.0)
    assert exact_matches(task, train(task)) < 0.05


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("tied", ["none", "target", "all"])
def test_a_network_learns_despite_many_unused_pieces(tied: str) -> None:
    """Their logits must start low; otherwise the steps that lower them saturate the outputs."""
    task = TASKS["copy"]
    assert exact_matches(task, train(task, tied=tied, pieces=400)) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["copy", "reverse"])
def test_attention_makes_the_task_easier(name: str) -> None:
    """Without attention, the whole sequence must pass through one vector."""
    task = Task(TASKS[name].answer, longest=12, steps=200, learning_rate=0.01)
    without, attending = (
        exact_matches(task, train(task, attention=attention)) for attention in ("none", "bilinear")
    )
    assert attending >= 0.9
    assert without < attending - 0.3
