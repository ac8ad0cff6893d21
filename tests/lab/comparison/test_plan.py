"""The plan: variants made from one run file, sized and matched on its real text, with a run for each seed."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.lab.comparison.factors import Factor, parse_factor
from nmt_lstm.lab.comparison.matching import parse_match
from nmt_lstm.lab.comparison.plan import Plan, Request, make_plan

CELLS = Factor("cell", ("model.encoder.cell", "model.decoder.cell"), ("rnn", "lstm"))


@pytest.fixture(scope="module")
def plan_of(parallel_files: Any, tmp_path_factory: pytest.TempPathFactory):
    """Return a function that plans a comparison on a tiny corpus."""
    prepared = tmp_path_factory.mktemp("prepared")

    def make(
        *factors: Factor, match: str = "parameters", seeds=(1, 2), overrides=(), on_progress=print
    ) -> Plan:
        values = {
            "data": {
                "train_source": str(parallel_files.train_source),
                "train_target": str(parallel_files.train_target),
                "valid_source": str(parallel_files.valid_source),
                "valid_target": str(parallel_files.valid_target),
                "prepared": str(prepared),
            },
            "subwords": {"vocabulary_size": 300},
            "model": {"embedding_size": 16, "encoder": {"hidden_size": 40}, "decoder": {"hidden_size": 40}},
            "training": {"epochs": 2, "batch_pieces": 1_000, "devices": 3, "strategy": "ddp"},
        }
        request = Request(values, factors, seeds, parse_match(match), overrides=overrides, origin="run.toml")
        return make_plan(request, on_progress)

    return make


def test_variants_get_the_parameters_of_the_base_settings(plan_of) -> None:
    plan = plan_of(CELLS)
    rnn, lstm = plan.variants
    assert lstm.parameters == plan.base_parameters
    assert lstm.run.model.decoder.hidden_size == 40
    assert rnn.parameters == pytest.approx(plan.base_parameters, rel=0.02)
    assert rnn.run.model.decoder.hidden_size > 60
    assert (rnn.run.model.encoder.cell, rnn.run.model.decoder.cell) == ("rnn", "rnn")
    assert rnn.steps == lstm.steps > 0
    said = plan.describe()
    assert said[0].startswith(f"rnn: hidden size {rnn.hidden}, {rnn.parameters:,} parameters, ")
    assert said[1].startswith("lstm: hidden size 40, ")
    assert f"{rnn.steps:,} updates" in said[2]


def test_matching_by_updates_keeps_sizes(plan_of) -> None:
    plan = plan_of(CELLS, match="updates")
    assert [each.run.model.decoder.hidden_size for each in plan.variants] == [40, 40]
    assert plan.variants[0].parameters < plan.variants[1].parameters


def test_updates_are_equal_for_different_batch_sizes(plan_of) -> None:
    plan = plan_of(parse_factor("training.batch_pieces=1000,500"), match="updates")
    base, smaller = (each.run.training for each in plan.variants)
    assert (base.epochs, base.max_steps) == (2, 0)
    assert smaller.max_steps == plan.variants[0].steps == plan.variants[1].steps


def test_matching_by_time_limits_time_alone(plan_of) -> None:
    plan = plan_of(CELLS, match="parameters,time", overrides=["training.time_limit=90s"])
    assert {each.run.training.time_limit for each in plan.variants} == {"90s"}
    assert plan.variants[0].parameters == pytest.approx(plan.variants[1].parameters, rel=0.02)
    assert plan.variants[0].steps == 0
    assert "for 90s" in plan.describe()[-1]


def test_all_variants_of_a_seed_come_before_the_next_seed(plan_of) -> None:
    runs = plan_of(CELLS).runs()
    assert [run.name for run in runs] == ["rnn-1", "lstm-1", "rnn-2", "lstm-2"]
    assert [run.settings.seed for run in runs] == [1, 1, 2, 2]
    assert len({run.name for run in runs}) == len(runs)


def test_each_run_is_one_process(plan_of) -> None:
    for run in plan_of(CELLS).runs():
        assert (run.settings.training.devices, run.settings.training.strategy) == (1, "auto")


def test_variants_with_the_same_text_share_its_pieces(plan_of) -> None:
    assert len({each.fingerprint for each in plan_of(CELLS).variants}) == 1
    others = plan_of(parse_factor("subwords.vocabulary_size=300,320"), match="updates")
    assert len({each.fingerprint for each in others.variants}) == 2


def test_base_settings_may_name_a_part_that_is_not_compared(plan_of) -> None:
    overrides = ["model.encoder.cell=not_installed", "model.decoder.cell=not_installed"]
    assert len(plan_of(CELLS, match="updates", overrides=overrides).variants) == 2
    with pytest.raises(PluginError, match="not_installed"):
        plan_of(CELLS, match="parameters", overrides=overrides)


@pytest.mark.parametrize(
    ("factor", "error", "message"),
    [
        (
            Factor("cell", CELLS.keys, ("gru", "lstn")),
            PluginError,
            "Did you mean 'lstm'",
        ),
        (
            parse_factor("model.attention.name=dot,bilinaer"),
            PluginError,
            "Did you mean 'bilinear'",
        ),
        (
            parse_factor("model.decoder.wiring=gnmt,input_feding"),
            ConfigurationError,
            "run.toml: .*'input_feeding'",
        ),
        (
            parse_factor("model.embedding_size=16,200000"),
            ConfigurationError,
            "model.embedding_size = 200000",
        ),
        (
            parse_factor("model.embedding_size=16,4096"),
            ConfigurationError,
            "'4096' cannot be sized",
        ),
    ],
)
def test_impossible_plans_are_rejected(plan_of, factor, error, message) -> None:
    with pytest.raises(error, match=message):
        plan_of(factor)


def test_dropped_pairs_are_reported_once(plan_of) -> None:
    said: list[str] = []
    plan_of(CELLS, overrides=["data.cleaning.max_pieces=16"], on_progress=said.append)
    assert sum("too long" in line for line in said) == 1
