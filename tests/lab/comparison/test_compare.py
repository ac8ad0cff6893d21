"""A comparison from start to finish, with runs that are replaced by results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.errors import ResourceError
from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.lab.comparison.compare import ComparisonResult, compare
from nmt_lstm.lab.comparison.factors import Factor
from nmt_lstm.lab.comparison.folder import write_result, write_text
from nmt_lstm.lab.comparison.matching import Match
from nmt_lstm.lab.comparison.plan import Request

RUN_MISSING = "nmt_lstm.lab.comparison.compare.run_missing"


@pytest.fixture
def run_comparison(parallel_files: Any, tmp_path: Path) -> Callable[..., ComparisonResult]:
    """Return a function that compares two cells on a tiny corpus."""

    def run(**options: Any) -> ComparisonResult:
        values = {
            "data": {
                "train_source": str(parallel_files.train_source),
                "train_target": str(parallel_files.train_target),
                "valid_source": str(parallel_files.valid_source),
                "valid_target": str(parallel_files.valid_target),
                "prepared": str(tmp_path / "prepared"),
            },
            "subwords": {"vocabulary_size": 300},
            "model": {"embedding_size": 16, "encoder": {"hidden_size": 8}, "decoder": {"hidden_size": 8}},
        }
        factor = Factor("cell", ("model.encoder.cell", "model.decoder.cell"), ("gru", "rnn"))
        match = Match(parameters=False, budget="updates")
        return compare(Request(values, [factor], (1, 2), match, **options), tmp_path / "out")

    return run


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch, make_result: Any, parallel_files: Any) -> list[str]:
    """Replace the execution of runs by perfect translations; the list receives the names of the runs."""
    names: list[str] = []

    def run_missing(jobs: Any, *, finished: set[str], **_: Any) -> dict[str, str]:
        for job in jobs:
            if job.key in finished:
                continue
            names.append(job.name)
            write_text(job.files.translations, parallel_files.valid_target.read_text())
            digest = sha256_of(job.files.translations)
            write_result(job.files.result, make_result().model_copy(update={"translations_sha256": digest}))
        return {}

    monkeypatch.setattr(RUN_MISSING, run_missing)
    return names


def test_all_runs_are_executed_scored_and_reported(run_comparison, executed, tmp_path) -> None:
    result = run_comparison(jobs=1)
    assert executed == ["gru-1", "rnn-1", "gru-2", "rnn-2"]
    assert [each.bleu for each in result.findings.variants] == pytest.approx([100, 100])
    assert result.failures == {}
    values = json.loads((tmp_path / "out" / "report.json").read_text())
    assert values["headline"] == result.verdict.headline
    assert result.markdown.read_text().startswith("# Cell: gru or rnn?")
    assert result.html.read_text().startswith("<!doctype html>")
    assert "validation text" in result.verdict.cautions


def test_finished_runs_are_not_repeated(run_comparison, executed) -> None:
    first = run_comparison()
    again = run_comparison()
    assert len(executed) == 4
    assert again.findings == first.findings


def test_a_comparison_without_a_finished_run_is_an_error(run_comparison, monkeypatch) -> None:
    monkeypatch.setattr(RUN_MISSING, lambda jobs, **_: {job.name: "boom." for job in jobs})
    with pytest.raises(ResourceError, match=r"all 4 runs failed; .*boom\. Fix"):
        run_comparison()
