"""Rescoring of n-best lists with features of fake models."""

from __future__ import annotations

import json

import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.inference.nbest_lists import NBestList, read_nbest_lists
from nmt_lstm.inference.rescoring import Rescorer, RescoringWeights


def line(source, *hypotheses) -> str:
    values = {
        "source": source,
        "source_pieces": source.split(),
        "translation": hypotheses[0][0] if hypotheses else "",
        "hypotheses": [{"text": text, "score": score, "pieces": text.split()} for text, score in hypotheses],
        "unmet": [],
    }
    return json.dumps(values)


LINES = [
    line("ein Hund", ("a dogs", -0.5), ("a dog", -0.6), ("dog", -0.7)),
    "  " + line(""),
    line("zwei große Hunde", ("two big dogs", -0.4), ("two big dog", -0.5)),
]
LISTS = list(read_nbest_lists(LINES, "lists"))


def fewest_letters(sources, texts):
    assert len(sources) == len(texts) == 5
    return [-len(text) / 10 for text in texts]


def test_the_largest_weighted_sum_comes_first() -> None:
    rescorer = Rescorer({"lm": fewest_letters})
    first, blank, last = rescorer.rescore(LISTS, RescoringWeights({"score": 1.0, "lm": 0.9, "length": 0.3}))
    # a dogs: -0.5 - 0.54 + 0.3; a dog: -0.6 - 0.45 + 0.3; dog: -0.7 - 0.27 + 0.15
    assert [each.text for each in first.candidates] == ["a dogs", "a dog", "dog"]
    assert [each.score for each in first.candidates] == pytest.approx([-0.74, -0.75, -0.82])
    assert (blank.text, blank.candidates) == ("", ())
    assert last.text == "two big dogs"
    (first, _, _) = rescorer.rescore(LISTS, RescoringWeights({"score": 1.0, "lm": 2.0, "length": 0.3}))
    values = json.loads(first.json_line())
    assert (first.text, values["translation"], values["score"]) == ("dog", "dog", pytest.approx(-1.15))
    assert values["hypotheses"][0] == {
        "text": "dog",
        "score": pytest.approx(-1.15),
        "pieces": ["dog"],
        "score_before": -0.7,
    }
    assert values["source"] == "ein Hund"


def test_tuning_finds_weights_that_give_the_references() -> None:
    lists = LISTS * 10
    rescorer = Rescorer(
        {"reverse": lambda sources, texts: [0.0 if "dog" in text.split() else -1.0 for text in texts]}
    )
    weights = rescorer.tune(lists, [["a dog", "", "two big dog"] * 10], metric="chrf")
    assert weights.weights["reverse"] > 0.1
    assert weights.before < weights.after == pytest.approx(100.0)
    assert weights.held_out == pytest.approx(100.0)
    assert weights.signature.startswith("chrF2 nrefs:1|")
    assert [each.text for each in rescorer.rescore(lists, weights)] == ["a dog", "", "two big dog"] * 10


def test_without_weights_the_lists_stay(tmp_path) -> None:
    rescored = Rescorer({}).rescore(LISTS, RescoringWeights({"score": 1.0}))
    assert [each.text for each in rescored] == [each.text for each in LISTS]
    assert Rescorer({}).rescore([], RescoringWeights({"score": 1.0})) == []


def test_weights_survive_a_file(tmp_path) -> None:
    weights = RescoringWeights({"score": 1.0, "lm": 0.25}, "BLEU x", before=1.0, after=2.0, held_out=1.5)
    weights.write(tmp_path / "weights.json")
    assert RescoringWeights.read(tmp_path / "weights.json").weights == weights.weights
    (tmp_path / "short.json").write_text('{"weights": {"lm": 1}}')
    assert RescoringWeights.read(tmp_path / "short.json").weights == {"score": 1.0, "lm": 1}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "--tune"),
        ("[]", "weights"),
        ('{"weights": {"lm": "a"}}', "number"),
        ('{"weights": {"lm": NaN}}', "number"),
        ('{"weights": {"style": 1}}', "style"),
        ("{", "weights"),
    ],
)
def test_files_without_weights_are_refused(tmp_path, content, word) -> None:
    path = tmp_path / "weights.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=word) as error_info:
        RescoringWeights.read(path)
    assert error_info.value.path == path


def test_changed_weights_and_lists_are_refused_unless_on_purpose(tmp_path) -> None:
    path = tmp_path / "weights.json"
    RescoringWeights({"score": 1.0, "lm": 0.25}).write(path)
    path.write_text(path.read_text().replace("0.25", "0.75"))
    with pytest.raises(DataError, match="sha256"):
        RescoringWeights.read(path)
    values = json.loads(path.read_text())
    del values["sha256"]
    path.write_text(json.dumps(values))
    assert RescoringWeights.read(path).weights["lm"] == 0.75

    sound = NBestList.parse(LINES[0], 1, "lists").json_line()
    assert NBestList.parse(sound, 1, "lists").json_line() == sound
    with pytest.raises(DataError, match="line 1") as error_info:
        NBestList.parse(sound.replace("dogs", "cats"), 1, "lists")
    assert "sha256" in str(error_info.value)


def test_weights_and_models_must_agree() -> None:
    with pytest.raises(ConfigurationError, match="lm") as error_info:
        Rescorer({}).rescore(LISTS, RescoringWeights({"score": 1.0, "lm": 0.5}))
    assert error_info.value.key == "--lm"
    with pytest.raises(ConfigurationError, match="reverse") as error_info:
        Rescorer({"reverse": fewest_letters}).rescore(LISTS, RescoringWeights({"score": 1.0}))
    assert error_info.value.key == "--reverse"
    with pytest.raises(ConfigurationError, match="style"):
        Rescorer({"style": fewest_letters})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("a dog", "JSON"),
        ("[1]", "object"),
        ('{"source": "a"}', "source_pieces"),
        ('{"source": "a", "source_pieces": []}', "hypotheses"),
        ('{"source": "a", "source_pieces": [], "hypotheses": [1]}', "text"),
        ('{"source": "a", "source_pieces": [], "hypotheses": [{"text": "a"}]}', "pieces"),
        ('{"source": "a", "source_pieces": [], "hypotheses": [{"text": "a", "pieces": []}]}', "score"),
    ],
)
def test_lines_that_are_not_lists_are_refused(text, word) -> None:
    with pytest.raises(DataError, match=word) as error_info:
        list(read_nbest_lists([LINES[0], text], "lists"))
    assert error_info.value.line == 2
    assert "--format jsonl" in str(error_info.value)


def test_a_translation_becomes_a_list() -> None:
    from nmt_lstm.inference.translation import Hypothesis, Translation

    hypothesis = Hypothesis("a dog", -0.5, -2.0, ("▁a", "▁dog"), ())
    made = NBestList.of(Translation("ein Hund", "a dog", -0.5, ("▁ein", "▁Hund"), (hypothesis,)))
    assert (made.source, made.source_pieces, made.text) == ("ein Hund", 2, "a dog")
    assert made.candidates[0].pieces == 2
