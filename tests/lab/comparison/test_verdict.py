"""The verdict: a winner only where one is shown, the cheaper of equals, and everything that speaks against it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from nmt_lstm.lab.comparison.findings import find
from nmt_lstm.lab.comparison.matching import Match
from nmt_lstm.lab.comparison.verdict import Circumstances, Verdict, give_verdict, joined_names


@pytest.fixture
def verdict(make_plan_of: Any, make_runs: Any, test_text: Any):
    """Return a function that gives the verdict on qualities of seeds by name."""

    def give(
        qualities: dict[str, tuple[int, ...]], *, plan: dict[str, Any] | None = None, **changed: Any
    ) -> Verdict:
        setting = {"made_up_text": False, "tested_on_validation": False, "jobs": 1, "failures": {}}
        setting |= {key: changed.pop(key) for key in list(changed) if key in setting}
        made = make_plan_of(*qualities, **(plan or {}))
        return give_verdict(
            find(made, make_runs(qualities, **changed), test_text), made, Circumstances(**setting)
        )

    return give


def test_a_shown_winner_is_recommended(verdict) -> None:
    found = verdict({"lstm": (6, 6), "rnn": (2, 2), "gru": (3, 3)})
    assert (found.kind, found.choice) == ("better", ("lstm",))
    assert {"lstm", "gru", "rnn"} <= set(re.findall(r"\w+", found.headline))


def test_no_winner_is_claimed_within_noise(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (2, 2)})
    assert (found.kind, found.choice, found.deciding_costs) == ("tie", ("lstm", "gru"), ())
    assert "rnn" not in found.headline


def test_a_lead_that_few_seeds_cannot_show_sends_no_one_to_the_cheaper(verdict) -> None:
    found = verdict({"lstm": (6, 2), "gru": (3, 1)}, lstm={"seconds": 150.0}, gru={"seconds": 100.0})
    assert (found.kind, found.choice) == ("undecided", ())
    assert re.search(r"lstm leads gru by [\d.]+ BLEU", found.headline)


def test_of_equals_the_clearly_cheaper_is_recommended(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4)}, lstm={"seconds": 150.0}, gru={"seconds": 100.0})
    assert (found.kind, found.choice, found.deciding_costs) == ("tie", ("gru",), ("training time",))
    assert "1m 40s (lstm 2m 30s)" in found.headline


def test_costs_within_timing_noise_do_not_count(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4)}, lstm={"seconds": 105.0}, gru={"seconds": 100.0})
    assert (found.choice, found.deciding_costs) == (("lstm", "gru"), ())


def test_where_time_is_matched_the_translation_speed_decides(verdict) -> None:
    found = verdict(
        {"lstm": (4, 4), "gru": (4, 4)},
        plan={"match": Match(parameters=True, budget="time")},
        lstm={"seconds": 150.0, "translate_seconds": 1.0},
        gru={"seconds": 100.0, "translate_seconds": 2.0},
    )
    assert found.choice == ("lstm",)
    assert "translate" in found.deciding_costs[0]


def test_the_first_cost_leaves_several(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (4, 4)}, lstm={"seconds": 200.0})
    assert (found.choice, found.deciding_costs) == (("gru", "rnn"), ("training time",))


def test_what_was_dropped_for_which_cost_is_said(verdict) -> None:
    changed = {"lstm": {"seconds": 200.0}, "rnn": {"translate_seconds": 4.0}}
    found = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (4, 4)}, **changed)
    assert found.choice == ("gru",)
    assert len(found.deciding_costs) == 2
    assert "(lstm 3m 20s)" in found.headline
    assert "(rnn 4 s)" in found.headline


def test_with_one_seed_the_winner_is_of_these_runs_only(verdict) -> None:
    found = verdict({"lstm": (6,), "rnn": (2,)}, plan={"seeds": (1,)})
    assert (found.kind, found.choice) == ("ahead", ())
    assert "seeds" in found.cautions


def test_a_single_survivor_wins_nothing(verdict) -> None:
    found = verdict({"lstm": (6, 6), "rnn": ()}, failures={"rnn-1": "boom", "rnn-2": "boom"})
    assert (found.kind, found.choice) == ("alone", ())
    assert "2" in found.cautions["failures"]


def test_nothing_learned_is_no_answer(verdict) -> None:
    found = verdict({"lstm": (1, 1), "rnn": (1, 1)})
    assert (found.kind, found.choice) == ("untrained", ())
    assert "0.00" in found.headline


@pytest.mark.parametrize(
    ("changed", "topic", "facts"),
    [
        ({"lstm": {"steps": 250, "reason": "the time limit of 9s is reached"}}, "updates",
         ["300 updates", "lstm had 250 in 2 of 2 runs", "the time limit of 9s"]),
        ({"lstm": {"seconds": 300.0}}, "time", ["lstm 2.5 times", "gru", "--match time"]),
        ({"made_up_text": True}, "made-up text", ["grammar"]),
        ({"tested_on_validation": True}, "validation text", ["--test-source"]),
        ({"jobs": 2}, "busy machine", ["2 runs"]),
        ({}, "rising", ["gru by 1.7 and lstm by 1.7"]),
        ({}, "noise", ["BLEU"]),
        ({}, "settings", ["learning rate"]),
        ({"plan": {"match": Match(parameters=False, budget="updates"), "parameters": (60_000, 20_000)}}, "parameters",
         ["lstm has 3.0 times", "gru", "--match parameters"]),
        ({"failures": {"gru-2": "boom"}}, "failures", ["1"]),
    ],
)  # fmt: skip
def test_cautions(verdict, changed, topic, facts) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 5)}, **changed)
    assert all(fact in found.cautions[topic] for fact in facts), found.cautions


def test_unequal_updates_are_in_the_headline(verdict) -> None:
    cut = {"steps": 250}
    assert "updates were not equal" in verdict({"lstm": (4, 4), "gru": (4, 4)}, gru=cut).headline
    assert "updates were not equal" in verdict({"lstm": (6, 6), "gru": (2, 2)}, gru=cut).headline
    plan = {"match": Match(parameters=True, budget="time")}
    assert "updates" not in verdict({"lstm": (6, 6), "gru": (2, 2)}, gru=cut, plan=plan).headline


def test_what_was_equal_is_no_caution(verdict) -> None:
    assert set(verdict({"lstm": (4, 4), "gru": (4, 5)}).cautions) == {"noise", "rising", "settings"}


def test_names() -> None:
    assert joined_names(["a"]) == "a"
    assert joined_names(["a", "b"], "or") == "a or b"
    assert joined_names(["a", "b", "c"]) == "a, b and c"
