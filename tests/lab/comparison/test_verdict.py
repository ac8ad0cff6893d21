"""The verdict: a winner only if the difference is significant, the cheapest of equals, and all cautions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.lab.comparison.matching import Match
from nmt_lstm.lab.comparison.scoring import compare_runs
from nmt_lstm.lab.comparison.verdict import Circumstances, Verdict, give_verdict


@pytest.fixture
def verdict(make_plan_of: Any, make_runs: Any, test_text: Any):
    """Return a function that gives the verdict on variants, given the quality of each of their seeds."""

    def give(
        qualities: dict[str, tuple[int, ...]], *, plan: dict[str, Any] | None = None, **changed: Any
    ) -> Verdict:
        circumstances = {"jobs": 1, "failures": {}}
        circumstances |= {key: changed.pop(key) for key in list(changed) if key in circumstances}
        made = make_plan_of(*qualities, **({"test_source": Path("test.de")} | (plan or {})))
        findings = compare_runs(made, make_runs(qualities, **changed), test_text)
        return give_verdict(findings, made, Circumstances(**circumstances))

    return give


def test_a_significant_winner_is_recommended(verdict) -> None:
    given = verdict({"lstm": (6, 6), "rnn": (2, 2), "gru": (3, 3)})
    assert (given.kind, given.choice) == ("better", ("lstm",))
    assert {"lstm", "gru", "rnn"} <= set(re.findall(r"\w+", given.headline))


def test_no_winner_is_claimed_within_noise(verdict) -> None:
    given = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (2, 2)})
    assert (given.kind, given.choice, given.deciding_costs) == ("tie", ("lstm", "gru"), ())
    assert "rnn" not in given.headline


def test_a_lead_that_few_seeds_cannot_show_leaves_it_undecided(verdict) -> None:
    given = verdict({"lstm": (6, 2), "gru": (3, 1)}, lstm={"seconds": 150.0}, gru={"seconds": 100.0})
    assert (given.kind, given.choice) == ("undecided", ())
    assert re.search(r"lstm leads gru by [\d.]+ BLEU", given.headline)


def test_the_clearly_cheaper_of_two_equals_is_recommended(verdict) -> None:
    given = verdict({"lstm": (4, 4), "gru": (4, 4)}, lstm={"seconds": 150.0}, gru={"seconds": 100.0})
    assert (given.kind, given.choice, given.deciding_costs) == ("tie", ("gru",), ("training time",))
    assert "1m 40s (lstm 2m 30s)" in given.headline


def test_costs_within_timing_noise_decide_nothing(verdict) -> None:
    given = verdict({"lstm": (4, 4), "gru": (4, 4)}, lstm={"seconds": 105.0}, gru={"seconds": 100.0})
    assert (given.choice, given.deciding_costs) == (("lstm", "gru"), ())


def test_translation_speed_decides_if_time_is_matched(verdict) -> None:
    given = verdict(
        {"lstm": (4, 4), "gru": (4, 4)},
        plan={"match": Match(parameters=True, budget="time")},
        lstm={"seconds": 150.0, "translate_seconds": 1.0},
        gru={"seconds": 100.0, "translate_seconds": 2.0},
    )
    assert given.choice == ("lstm",)
    assert "translate" in given.deciding_costs[0]


def test_the_first_cost_may_leave_several_variants(verdict) -> None:
    given = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (4, 4)}, lstm={"seconds": 200.0})
    assert (given.choice, given.deciding_costs) == (("gru", "rnn"), ("training time",))


def test_the_headline_names_the_costs_of_rejected_variants(verdict) -> None:
    changed = {"lstm": {"seconds": 200.0}, "rnn": {"translate_seconds": 4.0}}
    given = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (4, 4)}, **changed)
    assert given.choice == ("gru",)
    assert len(given.deciding_costs) == 2
    assert "(lstm 3m 20s)" in given.headline
    assert "(rnn 4 s)" in given.headline


def test_one_seed_shows_a_lead_but_no_winner(verdict) -> None:
    given = verdict({"lstm": (6,), "rnn": (2,)}, plan={"seeds": (1,)})
    assert (given.kind, given.choice) == ("ahead", ())
    assert "seeds" in given.cautions


def test_a_single_finished_variant_wins_nothing(verdict) -> None:
    given = verdict({"lstm": (6, 6), "rnn": ()}, failures={"rnn-1": "boom", "rnn-2": "boom"})
    assert (given.kind, given.choice) == ("alone", ())
    assert "2" in given.cautions["failures"]


def test_variants_that_learned_nothing_give_no_answer(verdict) -> None:
    given = verdict({"lstm": (1, 1), "rnn": (1, 1)})
    assert (given.kind, given.choice) == ("untrained", ())
    assert "0.00" in given.headline


@pytest.mark.parametrize(
    ("changed", "topic", "facts"),
    [
        ({"lstm": {"steps": 250, "reason": "the time limit of 9s is reached"}}, "updates",
         ["300 updates", "lstm had 250 in 2 of 2 runs", "the time limit of 9s"]),
        ({"lstm": {"seconds": 300.0}}, "time", ["lstm 2.5 times", "gru", "--match time"]),
        ({"plan": {"synthetic": True}}, "synthetic text", ["grammar"]),
        ({"plan": {"test_source": None}}, "validation text", ["--test-source"]),
        ({"jobs": 2}, "busy machine", ["2 runs"]),
        ({}, "rising", ["gru by 1.7 and lstm by 1.7"]),
        ({}, "noise", ["BLEU"]),
        ({}, "settings", ["learning rate"]),
        ({"plan": {"match": Match(parameters=False, budget="updates"), "parameters": (60_000, 20_000)}}, "parameters",
         ["lstm has 3.0 times", "gru", "--match parameters"]),
        ({"failures": {"gru-2": "boom"}}, "failures", ["1"]),
    ],
)  # fmt: skip
def test_cautions_state_the_facts(verdict, changed, topic, facts) -> None:
    given = verdict({"lstm": (4, 4), "gru": (4, 5)}, **changed)
    assert all(fact in given.cautions[topic] for fact in facts), given.cautions


def test_the_headline_mentions_unequal_updates(verdict) -> None:
    cut = {"steps": 250}
    assert "updates were not equal" in verdict({"lstm": (4, 4), "gru": (4, 4)}, gru=cut).headline
    assert "updates were not equal" in verdict({"lstm": (6, 6), "gru": (2, 2)}, gru=cut).headline
    plan = {"match": Match(parameters=True, budget="time")}
    assert "updates" not in verdict({"lstm": (6, 6), "gru": (2, 2)}, gru=cut, plan=plan).headline


def test_equal_conditions_give_no_caution(verdict) -> None:
    assert set(verdict({"lstm": (4, 4), "gru": (4, 5)}).cautions) == {"noise", "rising", "settings"}
