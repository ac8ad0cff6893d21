"""An analysis as text."""

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


def test_every_part_is_shown() -> None:
    text = text_of()
    for part in (
        "By length of the source, in words",
        "By how often the target word occurs in the references, in percent",
        "Repeated within a sentence, of 1,000",
        "  1, 111.1 of 1,000 words: Dackel (1)",
        "Rare source words (at most twice in the source text) left as they are",
        "  1 of 6 (16.7 %): Dackel (line 2)",
    ):
        assert part in text
    (row,) = (line.split() for line in text.splitlines() if line.startswith("  words in a row"))
    assert row == ["words", "in", "a", "row", "111.1", "0.0", "1"]


def test_the_text_of_the_frequencies_is_named() -> None:
    text = text_of(target_frequency={"dog": 3}, source_frequency={"Hund": 3})
    assert "occurs in the training text" in text
    assert "at most twice in the training text" in text


def test_nothing_copied_is_shown_without_examples() -> None:
    text = text_of(target_frequency={"Dackel": 3}, source_frequency={"Hund": 3})
    assert "  0, 0.0 of 1,000 words\n" in text
