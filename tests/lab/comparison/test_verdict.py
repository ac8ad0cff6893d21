"""The verdict: a winner only where one is shown, the cheaper of equals, and everything that speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.lab.comparison.findings import find
from nmt_lstm.lab.comparison.matching import Match
from nmt_lstm.lab.comparison.verdict import Setting, Verdict, give_verdict, joined_names


@pytest.fixture
def verdict(make_plan_of: Any, make_runs: Any, test_text: Any):
    """Return a function that gives the verdict on qualities of seeds by name."""

    def give(
        qualities: dict[str, tuple[int, ...]], *, plan: dict[str, Any] | None = None, **changed: Any
    ) -> Verdict:
        setting = {"made_up_text": False, "tested_on_validation": False, "jobs": 1, "failures": {}}
        setting |= {key: changed.pop(key) for key in list(changed) if key in setting}
        made = make_plan_of(*qualities, **(plan or {}))
        return give_verdict(find(made, make_runs(qualities, **changed), test_text), made, Setting(**setting))

    return give


def test_a_shown_winner_is_recommended(verdict) -> None:
    found = verdict({"lstm": (6, 6), "rnn": (2, 2), "gru": (3, 3)})
    assert found.headline == "Take lstm: it translates better than gru and rnn."
    assert found.reasons[0].startswith("lstm over gru: +")
    assert found.reasons[0].endswith("by sentences and seeds): more than noise.")
    assert found.reasons[1].startswith("lstm over rnn: +")


def test_no_winner_is_claimed_within_noise(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (2, 2)})
    assert found.headline.startswith(
        "No winner: between lstm and gru the difference is within noise. Take lstm or gru: no"
    )
    assert "within noise." in found.reasons[0]
    assert "more than noise." in found.reasons[1]


def test_a_lead_that_few_seeds_cannot_show_sends_no_one_to_the_cheaper(verdict) -> None:
    found = verdict({"lstm": (6, 2), "gru": (3, 1)}, lstm={"seconds": 150.0}, gru={"seconds": 100.0})
    assert found.headline.startswith("Not decided: lstm leads gru by ")
    assert found.headline.endswith(
        " BLEU, but that is within noise. Give more seeds or more test sentences before you choose."
    )
    assert "within noise." in found.reasons[0]


def test_of_equals_the_clearly_cheaper_is_recommended(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4)}, lstm={"seconds": 150.0}, gru={"seconds": 100.0})
    assert found.headline.endswith("Take gru: it trains in 1m 40s (lstm trains in 2m 30s).")
    assert "In training, gru trains in 1m 40s; lstm takes 1.5 times as long." in found.reasons
    assert "In translating, no variant is clearly the fastest." in found.reasons


def test_costs_within_timing_noise_do_not_count(verdict) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 4)}, lstm={"seconds": 105.0}, gru={"seconds": 100.0})
    assert found.headline.endswith("Take lstm or gru: no cost tells them apart either.")
    assert "In training, no variant is clearly the fastest." in found.reasons


def test_where_time_is_matched_the_translation_speed_decides(verdict) -> None:
    plan = {"match": Match(parameters=True, budget="time")}
    found = verdict(
        {"lstm": (4, 4), "gru": (4, 4)},
        plan=plan,
        lstm={"seconds": 150.0, "translate_seconds": 1.0},
        gru={"seconds": 100.0, "translate_seconds": 2.0},
    )
    assert found.headline.endswith(
        "Take lstm: it translates 80 sentences per second (gru translates 40 sentences per second)."
    )


def test_the_first_cost_leaves_several(verdict) -> None:
    slow = {"seconds": 200.0}
    found = verdict({"lstm": (4, 4), "gru": (4, 4), "rnn": (4, 4)}, lstm=slow)
    assert found.headline.endswith("Take gru or rnn: either trains in 2m 00s (lstm trains in 3m 20s).")


def test_what_was_dropped_for_which_cost_is_said(verdict) -> None:
    found = verdict(
        {"lstm": (4, 4), "gru": (4, 4), "rnn": (4, 4)},
        lstm={"seconds": 200.0},
        rnn={"translate_seconds": 4.0},
    )
    assert found.headline.endswith(
        "Take gru: it trains in 2m 00s (lstm trains in 3m 20s); it translates 40 sentences per second (rnn translates 20 "
        "sentences per second)."
    )


def test_with_one_seed_the_winner_is_of_these_runs_only(verdict) -> None:
    found = verdict({"lstm": (6,), "rnn": (2,)}, plan={"seeds": (1,)})
    assert found.headline.startswith("lstm is ahead in these runs, but with one seed it is not known")
    assert "by sentences alone" in found.reasons[0]
    assert any(caution.startswith("With one seed,") for caution in found.cautions)


def test_a_single_survivor_wins_nothing(verdict) -> None:
    found = verdict({"lstm": (6, 6), "rnn": ()}, failures={"rnn-1": "boom", "rnn-2": "boom"})
    assert found.headline == "Only lstm came to its end: there is nothing to compare it with."
    assert found.cautions[0] == "2 runs failed and are not counted; the same command tries again."


def test_nothing_learnt_is_no_answer(verdict) -> None:
    found = verdict({"lstm": (1, 1), "rnn": (1, 1)})
    assert (
        found.headline
        == "No answer: no variant has learnt to translate (the best BLEU is 0.00). Train longer."
    )
    assert found.reasons == []


@pytest.mark.parametrize(
    ("changed", "caution"),
    [
        ({"lstm": {"steps": 250, "reason": "the time limit of 9s is reached"}},
         "The updates are not equal: of the 300 planned, lstm had 250 in 2 of 2 runs (the time limit of 9s is reached)."),
        ({"lstm": {"seconds": 300.0}}, "The same updates took lstm 2.5 times as long as gru; with --match time the order"),
        ({"made_up_text": True}, "The built-in corpus is made by a grammar"),
        ({"tested_on_validation": True}, "There was no test text: scores are of the validation text"),
        ({"jobs": 2}, "2 runs shared the machine"),
        ({}, "Still improving at the last validation (BLEU since the one before): gru by 1.7 and lstm by 1.7."),
        ({}, "Differences below about "),
        ({}, "All variants have the same learning rate, dropout and other settings"),
        ({"plan": {"match": Match(parameters=False, budget="updates"), "parameters": (60_000, 20_000)}},
         "lstm has 3.0 times the parameters of gru: part of the difference may be size"),
        ({"failures": {"gru-2": "boom"}}, "1 run failed and is not counted"),
    ],
)  # fmt: skip
def test_cautions(verdict, changed, caution) -> None:
    found = verdict({"lstm": (4, 4), "gru": (4, 5)}, **changed)
    assert any(each.startswith(caution) for each in found.cautions), found.cautions


def test_unequal_updates_are_in_the_headline(verdict) -> None:
    cut = {"steps": 250}
    assert verdict({"lstm": (4, 4), "gru": (4, 4)}, gru=cut).headline.endswith(
        " But the updates were not equal."
    )
    assert verdict({"lstm": (6, 6), "gru": (2, 2)}, gru=cut).headline.endswith(
        " But the updates were not equal."
    )
    plan = {"match": Match(parameters=True, budget="time")}
    assert "updates" not in verdict({"lstm": (6, 6), "gru": (2, 2)}, gru=cut, plan=plan).headline


def test_what_was_equal_is_no_caution(verdict) -> None:
    found = " ".join(verdict({"lstm": (4, 4), "gru": (4, 5)}).cautions)
    for word in ("updates", "parameters", "grammar", "shared", "failed", "one seed", "no test text"):
        assert word not in found


def test_names() -> None:
    assert joined_names(["a"]) == "a"
    assert joined_names(["a", "b"], "or") == "a or b"
    assert joined_names(["a", "b", "c"]) == "a, b and c"
