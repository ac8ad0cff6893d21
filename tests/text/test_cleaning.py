"""Each cleaning rule leaves out the right pairs, can be turned off alone, and is counted."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import CleaningSettings
from nmt_lstm.text import cleaning
from nmt_lstm.text.cleaning import CleaningReport, PairCleaner, PairSet


def keeps(settings: CleaningSettings, *pairs: tuple[str, str, int, int]) -> tuple[list[bool], CleaningReport]:
    """The decision about each pair, and the report."""
    cleaner = PairCleaner(settings)
    return [cleaner.keeps(*pair) for pair in pairs], cleaner.report


@pytest.mark.parametrize(
    "pair",
    [
        ("", "a", 0, 1),
        ("a", "", 1, 0),
        ("", "", 0, 0),
        (" \t", "a", 0, 1),
        ("a", "\u3000", 1, 3),
        ("\x01\x02", "a", 0, 1),
    ],
)
def test_pairs_with_an_empty_side_are_left_out(pair) -> None:
    decisions, report = keeps(CleaningSettings(), pair, ("a", "b", 1, 1))
    assert decisions == [False, True]
    assert report.left_out == {"empty": 1, "too long": 0, "ratio": 0, "duplicate": 0}
    assert keeps(CleaningSettings(drop_empty=False), pair)[0] == [True]


def test_pairs_above_the_maximal_length_are_left_out() -> None:
    pairs = [("a", "b", 20, 20), ("a", "b", 21, 20), ("a", "b", 20, 21)]
    decisions, report = keeps(CleaningSettings(max_pieces=20), *pairs)
    assert decisions == [True, False, False]
    assert report.left_out["too long"] == 2


def test_sides_of_too_different_length_are_left_out_unless_both_are_short() -> None:
    pairs = [("a", "b", 10, 30), ("a", "b", 10, 31), ("a", "b", 31, 10), ("a", "b", 1, 9), ("a", "b", 1, 10)]
    decisions, report = keeps(CleaningSettings(max_ratio=3.0), *pairs)
    assert decisions == [True, False, False, True, False]
    assert report.left_out["ratio"] == 3
    assert keeps(CleaningSettings(max_ratio=0.0), *pairs)[0] == [True] * 5


def test_nothing_is_left_out_when_cleaning_is_off() -> None:
    settings = CleaningSettings(enabled=False, max_pieces=2)
    decisions, report = keeps(settings, ("", "", 0, 0), ("a", "b", 500, 1), ("a", "b", 500, 1))
    assert decisions == [True] * 3
    assert (report.read, report.kept, sum(report.left_out.values())) == (3, 3, 0)


def test_the_report_is_summarised_in_one_line() -> None:
    report = CleaningReport(read=12_345, kept=12_300)
    assert report.describe() == "12,345 training pairs read, 12,300 kept"
    report.left_out.update({"empty": 40, "duplicate": 5})
    assert not report.is_complete
    assert CleaningReport(read=2, kept=2).is_complete
    assert report.describe() == "12,345 training pairs read, 12,300 kept; left out: 40 empty, 5 duplicate"


def test_every_pair_is_counted_once() -> None:
    pairs = [("", "", 0, 0), ("a", "b", 900, 1), ("a", "b", 60, 1), ("a", "b", 2, 2)]
    decisions, report = keeps(CleaningSettings(), *pairs)
    assert report.read == 4
    assert report.kept == sum(decisions) == 1
    assert report.kept + sum(report.left_out.values()) == report.read


def test_a_set_of_pairs_ignores_white_space_and_digests_only_pairs_that_begin_alike(monkeypatch) -> None:
    pairs = PairSet([("the  red house", "das rote Haus"), ("", "leer"), ("a", "b")])
    assert pairs.holds(" the red\thouse ", "das rote  Haus")
    assert pairs.holds("", " leer")
    assert not pairs.holds("the red house", "das blaue Haus")
    assert not pairs.holds("a b", "")
    assert pairs.digest_of("a", "b") == cleaning.pair_digest("a", "b")
    assert not PairSet()
    monkeypatch.setattr(cleaning, "pair_digest", None)  # not called
    assert pairs.digest_of("the blue house", "das rote Haus") is None
    assert not PairSet().holds("a", "b")
