"""The plan: variants made from one run file, sized and matched on its real text, with a run for each seed."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.lab.comparison.factors import Factor, parse_factor
from nmt_lstm.lab.comparison.matching import parse_match
from nmt_lstm.lab.comparison.plan import Plan, make_plan

CELLS = Factor("cell", ("model.encoder.cell", "model.decoder.cell"), ("rnn", "lstm"))


@pytest.fixture(scope="module")
def planned(parallel_files: Any, tmp_path_factory: pytest.TempPathFactory):
    """Return a function that plans a comparison on the number sentences."""
    prepared = tmp_path_factory.mktemp("prepared")

    def make(
        *factors: Factor, match: str = "parameters", seeds=(1, 2), overrides=(), on_progress=None
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
        return make_plan(
            values,
            factors,
            overrides=overrides,
            seeds=seeds,
            match=parse_match(match),
            origin="run.toml",
            on_progress=on_progress,
        )

    return make


def test_parameters_are_those_of_the_settings_as_given(planned) -> None:
    plan = planned(CELLS)
    rnn, lstm = plan.variants
    assert lstm.parameters == plan.base_parameters
    assert lstm.run.model.decoder.hidden_size == 40
    assert rnn.parameters == pytest.approx(plan.base_parameters, rel=0.02)
    assert rnn.run.model.decoder.hidden_size > 60
    assert (rnn.run.model.encoder.cell, rnn.run.model.decoder.cell) == ("rnn", "rnn")
    assert rnn.steps == lstm.steps > 0
    said = plan.describe()
    assert said[0].startswith(f"rnn: hidden layers of {rnn.hidden}, {rnn.parameters:,} parameters, ")
    assert said[1].startswith("lstm: hidden layers of 40, ")
    assert said[2] == f"Each training gets {rnn.steps:,} updates, however long they take."


def test_matching_by_updates_leaves_sizes_alone(planned) -> None:
    plan = planned(CELLS, match="updates")
    assert [each.run.model.decoder.hidden_size for each in plan.variants] == [40, 40]
    assert plan.variants[0].parameters < plan.variants[1].parameters


def test_updates_are_equal_with_other_batches_too(planned) -> None:
    plan = planned(parse_factor("training.batch_pieces=1000,500"), match="updates")
    given, other = (each.run.training for each in plan.variants)
    assert (given.epochs, given.max_steps) == (2, 0)
    assert other.max_steps == plan.variants[0].steps == plan.variants[1].steps


def test_matching_by_time(planned) -> None:
    plan = planned(CELLS, match="parameters,time", overrides=["training.time_limit=90s"])
    assert {each.run.training.time_limit for each in plan.variants} == {"90s"}
    assert plan.variants[0].parameters == pytest.approx(plan.variants[1].parameters, rel=0.02)
    assert plan.variants[0].steps == 0
    assert plan.describe()[-1] == "Each training gets 90s, whatever number of updates that allows."


def test_all_variants_of_a_seed_come_before_the_next(planned) -> None:
    runs = planned(CELLS).runs()
    assert [run.name for run in runs] == ["rnn-1", "lstm-1", "rnn-2", "lstm-2"]
    assert [run.settings.seed for run in runs] == [1, 1, 2, 2]
    assert len({run.name for run in runs}) == len(runs)


def test_each_run_is_one_process(planned) -> None:
    for run in planned(CELLS).runs():
        assert (run.settings.training.devices, run.settings.training.strategy) == (1, "auto")


def test_variants_of_one_text_see_the_same_pieces(planned) -> None:
    assert len({each.fingerprint for each in planned(CELLS).variants}) == 1
    others = planned(parse_factor("subwords.vocabulary_size=300,320"), match="updates")
    assert len({each.fingerprint for each in others.variants}) == 2


def test_the_settings_as_given_may_name_a_part_that_is_not_compared(planned) -> None:
    overrides = ["model.encoder.cell=not_installed", "model.decoder.cell=not_installed"]
    assert len(planned(CELLS, match="updates", overrides=overrides).variants) == 2
    with pytest.raises(PluginError, match="unknown cell 'not_installed'"):
        planned(CELLS, match="parameters", overrides=overrides)


@pytest.mark.parametrize(
    ("factor", "error", "message"),
    [
        (
            Factor("cell", CELLS.keys, ("gru", "lstn")),
            PluginError,
            "unknown cell 'lstn'. Did you mean 'lstm'",
        ),
        (
            parse_factor("model.attention.name=dot,bilinaer"),
            PluginError,
            "unknown attention 'bilinaer'. Did you mean 'bilinear'",
        ),
        (
            parse_factor("model.decoder.wiring=gnmt,input_feding"),
            ConfigurationError,
            "run.toml: model.decoder.wiring = \"input_feding\".*Did you mean 'input_feeding'",
        ),
        (
            parse_factor("model.embedding_size=16,200000"),
            ConfigurationError,
            "model.embedding_size = 200000 .from the command line.: must be a whole number",
        ),
        (
            parse_factor("model.embedding_size=16,4096"),
            ConfigurationError,
            "'4096' cannot be sized to .* parameters: with hidden layers of 1 it has",
        ),
    ],
)
def test_what_cannot_be_planned(planned, factor, error, message) -> None:
    with pytest.raises(error, match=message):
        planned(factor)


def test_pairs_that_are_left_out_are_said_once(planned) -> None:
    said: list[str] = []
    planned(CELLS, overrides=["data.cleaning.max_pieces=16"], on_progress=said.append)
    assert sum("too long" in line for line in said) == 1
