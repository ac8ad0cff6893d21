"""The analysis of an output as a whole, and the sentences in which two outputs differ."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.lab.analysis.analyst import Analyst, most_different

SOURCES = [
    "Ein Hund bellt.",
    "Der Dackel schläft.",
    "Eine Katze und ein Hund spielen im Garten hinter dem Haus.",
]
REFERENCES = ["A dog barks.", "The dachshund sleeps.", "A cat and a dog play in the garden behind the house."]
OUTPUT = ["A dog dog barks.", "The Dackel sleeps.", "A cat and a dog play in the garden."]


def analyse(**arguments):
    statistics = Scorer([REFERENCES], metrics=["bleu"]).statistics(OUTPUT)["bleu"]
    return Analyst(SOURCES, REFERENCES, **arguments).analyse(OUTPUT, statistics)


def test_an_analysis_has_lengths_frequencies_and_faults() -> None:
    result = analyse()
    assert result.length_unit == "words"
    assert [(bucket.label, bucket.sentences) for bucket in result.by_source_length] == [
        ("1-5", 2),
        ("11-15", 1),
    ]
    assert result.by_source_length[1].brevity_penalty < 1
    assert result.frequency_text == "test set"
    assert [bucket.label for bucket in result.by_word_frequency] == ["1", "2-4"]
    assert result.repetitions[0].lines == (1,)
    assert result.copied.most_frequent == (("Dackel", 1),)
    assert result.copied.rare_examples == ((2, "Dackel"),)


def test_frequencies_of_the_training_text_are_preferred() -> None:
    result = analyse(source_frequency={"Dackel": 500}, target_frequency={"dog": 1000, "Dackel": 1})
    assert result.frequency_text == "training text"
    assert [bucket.label for bucket in result.by_word_frequency] == ["0", "1,000+"]
    assert result.copied.words == 0  # the target side of the training text contains the word


def test_words_of_further_references_are_not_copies() -> None:
    assert analyse(more_references=[["", "The Dackel sleeps.", ""]]).copied.words == 0


def test_text_without_spaces_is_counted_in_characters() -> None:
    analyst = Analyst(["犬が走る。"], ["A dog runs."], source_tokenize="char")
    statistics = Scorer([["A dog runs."]], metrics=["bleu"]).statistics(["A dog."])["bleu"]
    result = analyst.analyse(["A dog."], statistics)
    assert (result.length_unit, result.by_source_length[0].label) == ("characters", "1-10")


def test_different_numbers_of_lines_are_rejected() -> None:
    with pytest.raises(DataError, match="3 source lines but 1"):
        Analyst(SOURCES, ["x"])
    statistics = Scorer([REFERENCES], metrics=["bleu"]).statistics(OUTPUT)["bleu"]
    with pytest.raises(DataError, match="1 translations but 3"):
        Analyst(SOURCES, REFERENCES).analyse(["x"], statistics)


def test_the_most_different_sentences_favour_both_systems(references) -> None:
    scorer = Scorer([references], metrics=["chrf"])
    one, other = list(references), list(references)
    for index in (10, 20, 30, 40, 50):
        one[index] = references[index][: len(references[index]) // 2]
    other[60] = "X"
    result = most_different(*(scorer.statistics(lines)["chrf"] for lines in (one, other)), count=4)
    assert len(result) == 4
    assert result[0].line == 61
    assert (result[0].score, result[0].score > result[0].other_score) == (pytest.approx(100), True)
    assert {each.line for each in result[1:]} < {11, 21, 31, 41, 51}
    assert all(each.score < each.other_score for each in result[1:])
    assert most_different(*[scorer.statistics(one)["chrf"]] * 2) == []
