"""An analysis as text for a terminal."""

from __future__ import annotations

from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.lab.analysis.analyst import Analyst
from nmt_lstm.lab.analysis.text import analysis_text

SOURCES = ["Ein Hund bellt.", "Der Dackel schläft."]
REFERENCES = ["A dog barks.", "The dachshund sleeps."]
OUTPUT = ["A dog dog barks.", "The Dackel sleeps."]


def text_of(**arguments) -> str:
    statistics = Scorer([REFERENCES], metrics=["bleu"]).statistics(OUTPUT)["bleu"]
    return analysis_text(Analyst(SOURCES, REFERENCES, **arguments).analyse(OUTPUT, statistics))


def test_all_tables_are_shown() -> None:
    text = text_of()
    for line in (
        "By source length, in words",
        "in the references, in percent",
        "Repetitions within a sentence",
        "  1, 111.1 per 1,000 words: Dackel (1)",
        "(at most twice in the source text)",
        "  1 of 6 (16.7 %): Dackel (line 2)",
    ):
        assert line in text
    (row,) = (line.split() for line in text.splitlines() if line.startswith("  repeated words"))
    assert row == ["repeated", "words", "111.1", "0.0", "1"]


def test_the_origin_of_frequencies_is_named() -> None:
    text = text_of(target_frequency={"dog": 3}, source_frequency={"Hund": 3})
    assert "occurrences of the target word in the training text" in text
    assert "at most twice in the training text" in text


def test_no_copies_are_shown_without_examples() -> None:
    text = text_of(target_frequency={"Dackel": 3}, source_frequency={"Hund": 3})
    assert "  0, 0.0 per 1,000 words\n" in text
