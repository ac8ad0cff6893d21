"""Several validation sets: each is scored by itself, and one of them or their mean decides."""

from __future__ import annotations

import csv
import json

import pytest
from rich.console import Console

from nmt_lstm.training.csv_log import sets_file
from nmt_lstm.training.fit import fit

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def sets(parallel_files, tmp_path_factory):
    """Overrides for two sets of 25 and 15 lines, and those of a single set of all lines."""
    folder = tmp_path_factory.mktemp("sets")
    for side in ("source", "target"):
        lines = getattr(parallel_files, f"valid_{side}").read_text().splitlines(keepends=True)
        (folder / f"first.{side}").write_text("".join(lines[:25]))
        (folder / f"second.{side}").write_text("".join(lines[25:]))
    names = {
        side: f'["{folder / f"first.{side}"}", "{folder / f"second.{side}"}"]'
        for side in ("source", "target")
    }
    return tuple(f"data.valid_{side}={paths}" for side, paths in names.items())


SHORT = ("training.max_steps=6", "training.validate_every=3", "training.average=none", "training.metric=loss")


def test_each_set_is_scored_and_logged_and_the_first_decides(make_small_run, sets, tmp_path) -> None:
    result = fit(make_small_run(*SHORT, *sets), tmp_path / "run", console=QUIET)
    assert list(result.validation_sets) == ["first", "second"]
    assert result.metrics == result.validation_sets["first"]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert [metrics["validation_sets"][name]["sentences"] for name in ("first", "second")] == [25, 15]
    with sets_file(tmp_path / "run").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["set"]) for row in rows] == [
        ("3", "first"), ("3", "second"), ("6", "first"), ("6", "second")
    ]  # fmt: skip


def test_the_mean_or_a_named_set_may_decide(make_small_run, sets, tmp_path) -> None:
    results = {
        name: fit(
            make_small_run(*SHORT, *sets, f"training.validation_set={name}"), tmp_path / name, console=QUIET
        )
        for name in ("average", "second")
    }
    each = results["average"].validation_sets
    # The weights are the same: what decides changes no step.
    assert results["second"].validation_sets == each
    assert results["second"].metrics == each["second"]
    for metric in ("loss", "bleu", "chrf"):
        mean = sum(values[metric] for values in each.values()) / 2
        assert results["average"].metrics[metric] == pytest.approx(mean)
    assert "mean of 2 sets" in results["average"].signatures["bleu"]


def test_a_set_does_not_depend_on_the_others(make_small_run, sets, tmp_path) -> None:
    alone = [each.replace("[", "").split(",")[0] for each in sets]
    single = fit(
        make_small_run(*SHORT, *(each.replace('"', "") for each in alone)), tmp_path / "one", console=QUIET
    )
    both = fit(make_small_run(*SHORT, *sets), tmp_path / "both", console=QUIET)
    assert single.validation_sets == {}
    assert single.metrics == pytest.approx(both.validation_sets["first"])
