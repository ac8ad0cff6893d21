"""The comparison of two outputs, as text and as JSON values."""

from __future__ import annotations

import json

import pytest

from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.lab.analysis.pair_report import pair_report


@pytest.fixture
def report(references, output_of):
    """Return a function that compares two outputs, of which the second has the given share of errors."""

    def make(names=("one", "other"), share=0.4, sources=None, sentences=4):
        scorer = Scorer([references], metrics=["bleu", "chrf"])
        outputs = (output_of(1, 0.1), output_of(3, share))
        return pair_report(
            names,
            (scorer.statistics(outputs[0]), scorer.statistics(outputs[1])),
            outputs,
            references=[references],
            sources=sources,
            sentences=sentences,
        )

    return make


def test_values_have_metrics_and_sentences(report, references, output_of) -> None:
    result = report(sources=[f"source {number}" for number in range(1, 121)])
    values = json.loads(json.dumps(result.values()))
    assert (values["system"], values["other"]) == ("one", "other")
    bleu = values["metrics"]["bleu"]
    assert bleu["name"] == "BLEU"
    assert bleu["signature"].startswith("nrefs:1|")
    assert bleu["difference"] == pytest.approx(bleu["score"] - bleu["other_score"])
    assert bleu["significant"] is True
    assert len(values["sentences"]) == 4
    first = values["sentences"][0]
    assert first["source"] == f"source {first['line']}"
    assert first["references"] == [references[first["line"] - 1]]
    assert first["hypothesis"] == output_of(1, 0.1)[first["line"] - 1]


def test_text_shows_scores_tests_and_sentences(report) -> None:
    result = report()
    lines = result.text().splitlines()
    assert lines[0].split() == ["one", "other", "difference", "p", "bootstrap", "p", "randomisation"]
    assert lines[1].split()[-2] == "<0.001"
    assert "not significant" not in result.text()
    assert "source" not in result.text()
    assert sum(line.startswith("line ") for line in lines) == 4
    assert any(line.startswith("  reference") for line in lines)


def test_insignificant_differences_are_marked(report) -> None:
    text = report(share=0.1).text()
    assert "≈ " in text
    assert "≈ not significant: p >= 0.05" in text


def test_long_names_are_shortened_in_text_only(report) -> None:
    name = "a system of a very long name indeed"
    result = report(names=(name, "other"), sentences=0)
    assert name not in result.text()
    assert "a system of a very long name …" in result.text()
    assert result.values()["system"] == name
