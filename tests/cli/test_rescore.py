"""``rescore``: weights are tuned on one text and used on others; what does not fit is refused by name."""

from __future__ import annotations

import json

import pytest

from nmt_lstm.inference.rescoring import Rescorer

TEXTS = [
    ("a dogs", "a dog"),
    ("two dog", "two dogs"),
    ("the cats is here", "the cat is here"),
    ("a cats", "a cat"),
]


@pytest.fixture
def lists(tmp_path):
    """A file with four n-best lists, of which the second hypothesis is right, and one of a blank line."""
    lines = [
        {
            "source": "ein Text",
            "source_pieces": ["ein", "Text"],
            "hypotheses": [
                {"text": text, "score": -0.1 - 0.2 * rank, "pieces": text.split()}
                for rank, text in enumerate(texts)
            ],
        }
        for texts in TEXTS
    ]
    blank = {"source": "", "source_pieces": [], "hypotheses": []}
    content = "".join(f"{json.dumps(line)}\n" for line in [*lines, blank])
    (tmp_path / "lists.jsonl").write_text(content)
    (tmp_path / "reference").write_text("a dog\ntwo dogs\nthe cat is here\na cat\n\n")
    return tmp_path


@pytest.fixture
def rescorer(monkeypatch):
    """A rescorer whose language model knows the second hypotheses, in place of the models of the command line."""
    right = {texts[1] for texts in TEXTS}
    loaded = []

    def load(**options):
        loaded.append(options)
        has_model = options["language_model"] is not None
        return Rescorer(
            {"lm": lambda _, texts: [float(text in right) for text in texts]} if has_model else {}
        )

    monkeypatch.setattr("nmt_lstm.inference.rescoring_models.load_rescorer", load)
    monkeypatch.setattr("nmt_lstm.cli.early_checks.check_models", lambda *_, **__: None)
    return loaded


def test_weights_are_tuned_and_then_used(command, lists, rescorer):
    tuned = command("rescore", "-i", "lists.jsonl", "--lm", "lm", "--tune", "reference", "-w", "weights.json")
    assert tuned.status == 0
    assert any(line.startswith("lm ") for line in tuned.lines)
    assert any(line.startswith("BLEU nrefs:1") for line in tuned.lines)
    weights = json.loads((lists / "weights.json").read_text())
    assert weights["weights"]["lm"] > 0.2
    assert weights["before"] < weights["after"]

    used = command("rescore", "-i", "lists.jsonl", "--lm", "lm", "-w", "weights.json")
    assert used.lines == [texts[1] for texts in TEXTS] + [""]
    used = command("rescore", "-i", "lists.jsonl", "--lm", "lm", "-w", "weights.json", "--n-best", "3")
    assert used.lines[:3] == ["a dog", "a dogs", ""]
    used = command(
        "rescore",
        "--lm",
        "lm",
        "-w",
        "weights.json",
        "--format",
        "jsonl",
        stdin=(lists / "lists.jsonl").read_bytes(),
    )
    first = json.loads(used.lines[0])
    assert (first["translation"], first["hypotheses"][0]["score_before"]) == ("a dog", pytest.approx(-0.3))
    assert [options["language_model"].name for options in rescorer] == ["lm"] * 4


def test_tuning_can_write_the_translations_too(command, lists, rescorer):
    arguments = ("-i", "lists.jsonl", "--lm", "lm", "--tune", "reference", "--metric", "chrf", "-w", "w.json")
    assert command("rescore", *arguments, "-o", "out").status == 0
    assert (lists / "out").read_text() == (lists / "reference").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("-w", "missing.json"), 1, "missing.json"),
        (("--tune", "short", "-w", "weights.json"), 1, "4 lines"),
        (("--tune", "reference", "-w", "lists.jsonl"), 2, "-w"),
        (("--tune", "reference", "--tokenize", "14a", "-w", "weights.json"), 2, "13a"),
        (("-w", "lm.json"), 2, "--lm"),
        (("--lm", "lm", "-w", "length.json"), 2, "--lm"),
    ],
)
def test_what_does_not_fit_is_refused(command, lists, rescorer, arguments, status, word):
    (lists / "short").write_text("a\nb\nc\nd\n")
    (lists / "lm.json").write_text('{"weights": {"lm": 1.0}}')
    (lists / "length.json").write_text('{"weights": {"length": 1.0}}')
    finished = command("rescore", "-i", "lists.jsonl", *arguments)
    assert (finished.status, word in finished.error) == (status, True)
    assert "{" not in finished.text


def test_text_instead_of_lists_is_refused(command, lists, rescorer):
    (lists / "w.json").write_text('{"weights": {}}')
    finished = command("rescore", "-i", "reference", "-w", "w.json")
    assert finished.status == 1
    assert "line 1" in finished.error
    assert "--format jsonl" in finished.error


def test_lists_of_one_hypothesis_cannot_be_tuned(command, lists, rescorer):
    line = {
        "source": "a",
        "source_pieces": ["a"],
        "hypotheses": [{"text": "b", "score": -1, "pieces": ["b"]}],
    }
    (lists / "single.jsonl").write_text(json.dumps(line) + "\n")
    (lists / "one").write_text("b\n")
    finished = command("rescore", "-i", "single.jsonl", "--tune", "one", "-w", "weights.json")
    assert finished.status == 2
    assert "--n-best" in finished.error


def test_lists_are_checked_before_models_are_loaded(command, lists, rescorer):
    (lists / "weights.json").write_text('{"weights": {"lm": 0.2}}')
    (lists / "lists.jsonl").write_text('{"text": "no list"}\n')
    finished = command("rescore", "-i", "lists.jsonl", "--lm", "lm", "-w", "weights.json")
    assert finished.status == 1
    assert "line 1, is not an n-best list" in finished.error
    assert rescorer == []
