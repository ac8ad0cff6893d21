"""``evaluate``: scores with signatures, analyses and comparisons, and texts that must agree line by line."""

from __future__ import annotations

import bz2
import json
import os
import threading

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import SearchSettings


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "ref").write_text("the cat sat on the mat\na dog ran far away\n")
    (tmp_path / "out").write_text("the cat sat on a mat\na dog ran far away\n")
    (tmp_path / "src").write_text("tam eht no tas tac eht\nyawa raf nar god a\n")
    (tmp_path / "short").write_text("only one line\n")
    (tmp_path / "empty").write_text("")
    return tmp_path


def test_hypotheses_are_scored_with_signatures(command, texts):
    finished = command("evaluate", "--hypotheses", "out", "-r", "ref")
    assert finished.status == 0
    rows = [line.split() for line in finished.lines]
    assert [row[0] for row in rows] == ["BLEU", "chrF2", "TER"]
    assert all("version:" in row[2] for row in rows)
    assert "tok:13a" in rows[0][2]
    assert 50 < float(rows[0][1]) < 100


def test_json_is_for_programs(command, texts):
    scores = json.loads(command("evaluate", "--hypotheses", "ref", "-r", "ref", "--format", "json").out)
    assert scores[0]["name"] == "BLEU"
    assert scores[0]["value"] == pytest.approx(100)
    assert "tok:13a" in scores[0]["signature"]


def test_an_analysis_is_added(command, texts):
    finished = command("evaluate", "--hypotheses", "out", "-r", "ref", "-s", "src", "--analysis")
    assert finished.status == 0, finished.err
    assert finished.lines[0].startswith("BLEU ")
    text = finished.text
    assert "By source length, in words" in text
    assert "target word in the references" in text
    values = json.loads(
        command(
            "evaluate", "--hypotheses", "out", "-r", "ref", "-s", "src", "--analysis", "--train-target", "ref",
            "--train-source", "src", "--format", "json",
        ).out
    )  # fmt: skip
    assert values["scores"][0]["name"] == "BLEU"
    assert values["analysis"]["frequency_text"] == "training text"
    assert [bucket["label"] for bucket in values["analysis"]["by_source_length"]] == ["1-5", "6-10"]
    assert values["analysis"]["copied"]["words"] == 0


def test_two_outputs_are_compared(command, texts):
    text = command("evaluate", "--hypotheses", "out", "-r", "ref", "--against", "src").text
    assert "p randomisation" in text
    assert "Sentences that differ most" in text
    finished = command("evaluate", "--hypotheses", "out", "-r", "ref", "--against", "src", "--format", "json")
    values = json.loads(finished.out)
    assert (values["against"]["system"], values["against"]["other"]) == ("out", "src")
    assert values["against"]["metrics"]["chrf"]["difference"] > 0
    assert "analysis" not in values


def test_a_model_can_be_analysed_and_compared(command, texts, translator):
    from types import SimpleNamespace as Namespace

    translator.run = Namespace(data=Namespace(source_language="de"), search=SearchSettings())
    finished = command("evaluate", "-m", "x", "-s", "src", "-r", "ref", "--analysis", "--against", "out")
    assert finished.status == 0, finished.err
    assert "By source length, in words" in finished.text
    assert "the model" in finished.text


def test_unjoined_subwords_cause_a_warning(command, texts):
    (texts / "pieces").write_text("the c@@ at s@@ at\na dog\n")
    finished = command("evaluate", "--hypotheses", "pieces", "-r", "ref")
    assert finished.status == 0
    assert "nmt-lstm: warning: 'pieces': 1 line" in finished.err
    assert "'@@'" in finished.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--analysis",), 2, "--analysis needs the source text"),
        (("--against", "short"), 1, "'short' has 1 line and 'ref' has 2"),
        (("--against", "none"), 1, "'none' does not exist"),
        (("--analysis", "-s", "short"), 1, "'short' has 1 line and 'ref' has 2"),
        (("--analysis", "-s", "src", "--train-source", "none"), 1, "'none' does not exist"),
    ],
)
def test_the_texts_of_an_analysis_must_exist_and_agree(command, texts, arguments, status, message):
    finished = command("evaluate", "--hypotheses", "out", "-r", "ref", *arguments)
    assert finished.status == status
    assert message in finished.error


def test_a_model_translates_the_source_first(command, texts, translator, monkeypatch):
    finished = command("evaluate", "-m", "x", "-s", "src", "-r", "ref", "-o", "translated")
    assert finished.status == 0, finished.err
    assert (texts / "translated").read_text() == (texts / "ref").read_text()
    assert finished.lines[0].split()[1] == "100.00"
    assert "tok:char" in finished.lines[0]
    assert finished.err.startswith("2 sentences translated in ")


def test_the_search_of_a_model_can_be_changed(command, texts, translator, monkeypatch):
    paths = dict.fromkeys(("train_source", "train_target", "valid_source", "valid_target"), "text")
    monkeypatch.setattr(translator, "run", make_run({"data": paths}))
    finished = command("evaluate", "-m", "x", "-s", "src", "-r", "ref", "--set", "search.alpha=1.5")
    assert finished.status == 0, finished.err
    assert translator.calls[0]["search"].alpha == 1.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-r", "ref"), "name either --hypotheses FILE, or -m FOLDER"),
        (("-r", "ref", "-m", "x"), "-m needs a source text"),
        (("-r", "ref", "-m", "x", "--hypotheses", "out"), "name either --hypotheses FILE, or -m FOLDER"),
        (
            ("-r", "ref", "--hypotheses", "out", "--set", "search.alpha=2"),
            "--set changes the search of a model",
        ),
    ],
)
def test_either_hypotheses_or_a_model_is_scored(command, texts, arguments, message):
    finished = command("evaluate", *arguments)
    assert finished.status == 2
    assert message in finished.error


def test_files_of_different_length_are_an_error_with_both_counts(command, texts):
    finished = command("evaluate", "--hypotheses", "short", "-r", "ref")
    assert finished.status == 1
    assert "'short' has 1 line and 'ref' has 2" in finished.error
    assert "Line 2 is missing from 'short'" in finished.error


def test_an_empty_file_is_an_error(command, texts):
    finished = command("evaluate", "--hypotheses", "empty", "-r", "ref")
    assert finished.status == 1
    assert "'empty' is empty" in finished.error


def test_text_without_spaces_is_scored_by_characters_by_default(command, tmp_path):
    (tmp_path / "ref.ja").write_text("彼は本を三冊読みました。\n猫が公園で寝ている。\n")
    (tmp_path / "out.ja").write_text("彼は本を二冊読みました。\n猫が公園で寝ている。\n")
    (tmp_path / "words").write_text("Haus\nBaum\n")
    signatures = {}
    for name, arguments in {
        "Japanese": ("--hypotheses", "out.ja", "-r", "ref.ja"),
        "tokenize": ("--hypotheses", "out.ja", "-r", "ref.ja", "--tokenize", "13a"),
        "single words": ("--hypotheses", "words", "-r", "words"),
    }.items():
        finished = command("evaluate", *arguments)
        assert finished.status == 0, finished.err
        signatures[name] = finished.lines[0]
    assert "tok:char" in signatures["Japanese"]
    assert float(signatures["Japanese"].split()[1]) > 50.0
    assert "tok:13a" in signatures["tokenize"]
    assert "tok:13a" in signatures["single words"]


def test_an_unknown_tokenizer_is_an_error(command, texts):
    finished = command("evaluate", "--hypotheses", "out", "-r", "ref", "--tokenize", "13b")
    assert finished.status == 2
    assert "13a" in finished.error


def test_several_references_are_scored_together(command, texts):
    (texts / "ref2").write_text("the cat sat on a mat\none dog ran away\n")
    scores = json.loads(
        command("evaluate", "--hypotheses", "out", "-r", "ref", "-r", "ref2", "--format", "json").out
    )
    assert all("nrefs:2|" in score["signature"] for score in scores)
    assert scores[0]["value"] == pytest.approx(100)
    assert scores[2]["value"] == 0
    options = ("-r", "ref", "-r", "ref2", "-s", "src", "--analysis", "--against", "src", "--format", "json")
    values = json.loads(command("evaluate", "--hypotheses", "out", *options).out)
    assert values["scores"][0]["value"] == pytest.approx(100)
    assert "nrefs:2|" in values["against"]["metrics"]["bleu"]["signature"]
    assert values["against"]["metrics"]["bleu"]["score"] == pytest.approx(100)
    assert values["against"]["sentences"][0]["references"] == [
        "the cat sat on the mat",
        "the cat sat on a mat",
    ]
    assert values["analysis"]["by_source_length"][0]["bleu"] == pytest.approx(100)


def test_several_references_give_sacrebleus_own_scores(command, texts):
    (texts / "ref2").write_text("a cat sat on the mat\na dog ran quite far\n")
    scores = json.loads(
        command("evaluate", "--hypotheses", "out", "-r", "ref", "-r", "ref2", "--format", "json").out
    )
    lines = {name: (texts / name).read_text().splitlines() for name in ("out", "ref", "ref2")}
    for score, metric in zip(scores, (BLEU(), CHRF(), TER()), strict=True):
        expected = metric.corpus_score(lines["out"], [lines["ref"], lines["ref2"]])
        assert score["value"] == pytest.approx(expected.score)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("-r", "ref"), 2, "'ref' is named twice"),
        (("-r", "short"), 1, "'short' has 1 line and 'ref' has 2"),
        (("-r", "blank"), 1, "'blank' has only blank lines"),
        (("-r", "none"), 1, "'none' does not exist"),
    ],
)
def test_references_must_be_different_files_of_the_same_length(command, texts, options, status, message):
    (texts / "blank").write_text("\n \n")
    finished = command("evaluate", "--hypotheses", "out", "-r", "ref", *options)
    assert finished.status == status
    assert message in finished.error


def test_a_line_without_reference_causes_a_warning(command, texts):
    (texts / "gap").write_text("the cat sat on the mat\n\n")
    finished = command("evaluate", "--hypotheses", "out", "-r", "gap")
    assert finished.status == 0
    assert "line 2" in finished.err
    assert command("evaluate", "--hypotheses", "out", "-r", "gap", "-r", "ref").err == ""


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("the cat\na dog\n".encode("utf-16"), "iconv -f utf-16 "),
        ("die Katze\nein Hund für\n".encode("latin1"), "line 2, byte"),
        (bz2.compress(b"the cat\na dog\n"), "rename it to"),
    ],
)
@pytest.mark.parametrize("role", ["hypotheses", "reference", "source"])
def test_an_unsupported_encoding_is_an_error_as_in_training(command, texts, content, word, role):
    files = {"hypotheses": "out", "reference": "ref", "source": "src", role: "other"}
    (texts / "other").write_bytes(content)
    finished = command("evaluate", *(word for name, file in files.items() for word in (f"--{name}", file)))
    assert finished.status == 1
    assert word in finished.error
    assert finished.out == b""


def test_pipes_are_read_once(command, texts):
    """A second opening would wait forever."""
    for name in ("out", "ref"):
        os.mkfifo(texts / f"{name}.pipe")
    writers = [
        threading.Thread(
            target=lambda name=name: (texts / f"{name}.pipe").write_bytes((texts / name).read_bytes())
        )
        for name in ("out", "ref")
    ]
    for writer in writers:
        writer.start()
    finished = command("evaluate", "--hypotheses", "out.pipe", "-r", "ref.pipe")
    for writer in writers:
        writer.join()
    assert finished.status == 0, finished.err
    assert finished.out == command("evaluate", "--hypotheses", "out", "-r", "ref").out


def test_a_language_model_takes_part_in_the_search(command, tmp_path, translator, monkeypatch):
    (tmp_path / "src").write_text("ab\n")
    (tmp_path / "ref").write_text("ba\n")
    data = dict.fromkeys(("train_source", "train_target", "valid_source", "valid_target"), "text")
    monkeypatch.setattr(translator, "run", make_run({"data": data}))
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_language_model", lambda *_: None)
    arguments = ("evaluate", "-m", "x", "-s", "src", "-r", "ref", "--lm", "lm", "--lm-weight", "0.3")
    assert command(*arguments).status == 0
    assert [path.name for path in translator.language_models] == ["lm"]
    assert translator.calls[0]["search"].language_model_weight == 0.3
    finished = command("evaluate", "--hypotheses", "src", "-r", "ref", "--lm", "lm")
    assert (finished.status, "--lm" in finished.error) == (2, True)


@pytest.mark.parametrize("task", ["language-model", "classification", "forecast"])
@pytest.mark.parametrize("option", [("--tag", "<2de>"), ("--lm-weight", "0.3"), ("--beam-size", "2")])
def test_options_of_translation_have_no_meaning_for_other_models(
    command, texts, monkeypatch, task, option
) -> None:
    monkeypatch.setattr("nmt_lstm.cli.early_checks.task_of", lambda folders: task)
    finished = command("evaluate", "-m", "x", "-s", "src", *option)
    assert finished.status == 2
    assert f"{option[0]} has no meaning" in finished.error
