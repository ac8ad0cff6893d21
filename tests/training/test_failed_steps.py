"""The batch of a step that diverged can be read: texts, pieces and losses, and numbers that are not finite."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from nmt_lstm.batching.batch import collate
from nmt_lstm.training.failed_steps import MOST_REPORTS, FailedSteps, reports_in
from nmt_lstm.training.step_guard import MicroBatch, Step


def make_step(*micro_batches: MicroBatch, number: int = 6, norm: float = math.inf) -> Step:
    return Step(number, 1, 0.5, torch.tensor(norm), micro_batches)


def read(path: Path | None) -> dict[str, Any]:
    assert path is not None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_a_file_has_texts_pieces_and_losses(subwords: Any, tmp_path: Path) -> None:
    sources, targets = (
        [side.encode(line) for line in lines]
        for side, lines in (
            (subwords.source, ["eins zwei .", "drei ."]),
            (subwords.target, ["two one .", "three ."]),
        )
    )
    batch = collate(sources, targets, indices=[12, 7])
    # A share of a step that has fewer pairs than processes: it learns from nothing.
    masked = collate(sources[:1], targets[:1], indices=[12], masked=True)
    likelihood = torch.tensor(3.0 * batch.target_pieces)
    step = make_step(MicroBatch(batch, likelihood), MicroBatch(masked, torch.tensor(0.0)))
    failure = FailedSteps(subwords=subwords, folder=tmp_path)(step, skipped=False, attempt=0)
    assert failure.path == tmp_path / "divergence-step-7.json"
    assert (failure.loss, failure.largest) == (3.0, 3.0)
    content = read(failure.path)
    first, second = content.pop("batches")
    assert content == {"step": 7, "epoch": 2, "learning_rate": 0.5, "loss": 3.0, "gradient_norm": "inf"}
    assert (first["process"], first["part"], first["loss"]) == (0, 0, 3.0)
    assert [pair["pair"] for pair in first["pairs"]] == [12, 7]
    assert first["pairs"][1]["source"] == "drei ."
    assert first["pairs"][1]["target_pieces"] == targets[1]
    assert second["pairs"] == []


def test_series_are_written_as_numbers(tmp_path: Path) -> None:
    batch = collate([[1, 2]], [[3]])
    values = torch.tensor([[[0.5, math.nan], [-math.inf, 2.0], [0.0, 1.0]]])
    batch = batch._map(lambda tensor: values if tensor is batch.source.pieces else tensor)
    step = make_step(MicroBatch(batch, torch.tensor(math.nan)))
    failure = FailedSteps(subwords=None, folder=tmp_path)(step, skipped=False, attempt=2)
    assert math.isnan(failure.largest)
    assert failure.path == tmp_path / "divergence-step-7-return-2.json"
    (window,) = read(failure.path)["batches"][0]["pairs"]
    assert window["inputs"] == [[0.5, "nan"], ["-inf", 2.0], [0.0, 1.0]]


def test_a_run_that_skips_many_steps_is_not_verbose(tmp_path: Path) -> None:
    said: list[str] = []
    report = FailedSteps(subwords=None, folder=tmp_path, say=said.append)
    for number in range(MOST_REPORTS + 5):
        report(make_step(number=number), skipped=True, attempt=0)
    assert len(said) == len(reports_in(tmp_path)) == MOST_REPORTS
    assert "without a message" in said[-1]
    # The one that ends the run is written in any case.
    assert report(make_step(number=99), skipped=False, attempt=0).path is not None


@pytest.mark.parametrize("rank", [0, 1])
def test_a_file_that_cannot_be_written_ends_no_run(tmp_path: Path, rank: int) -> None:
    (tmp_path / "logs").write_text("a file")
    said: list[str] = []
    report = FailedSteps(subwords=None, rank=rank, folder=tmp_path / "logs", say=said.append)
    assert report(make_step(), skipped=True, attempt=0).path is None
    assert ("cannot be written" in said[0]) == (rank == 0)
