"""Classification from the command line: training, labels of lines, scores, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm import TextClassifier
from nmt_lstm.cli.app import main
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.checkpointing import read_checkpoint

SMALL = [
    word
    for setting in (
        "training.epochs=8",
        "training.batch_pieces=300",
        "training.optimizer.learning_rate=0.01",
        "training.precision=float32",
        "training.tensorboard=false",
        "model.encoder.hidden_size=32",
        "model.embedding_size=32",
        "subwords.kind=word",
    )
    for word in ("--set", setting)
]


@pytest.fixture(scope="module")
def folder(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with made-up reviews and a classifier of them."""
    folder = tmp_path_factory.mktemp("reviews")
    script = repository / "data" / "reviews" / "generate.py"
    subprocess.run([sys.executable, script, "--output", folder, "--train", "900"], check=True)
    status = main(
        [
            "train",
            "--task",
            "classification",
            "--tsv",
            str(folder / "train.tsv"),
            "-o",
            str(folder / "run"),
            *SMALL,
        ]
    )
    assert status == 0
    return folder


def test_the_network_beats_the_bag_of_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "-m", str(folder / "run"), "--format", "json"]
    words += ["-s", f"{folder}/test.tsv:2", "-r", f"{folder}/test.tsv:1"]
    words += ["--train-source", f"{folder}/train.tsv:2", "--train-target", f"{folder}/train.tsv:1"]
    assert main(words) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["accuracy"] > 85.0 > scores["bag_of_words"]["accuracy"] > scores["majority"]["accuracy"]
    assert scores["majority"]["label"] == "positive"
    assert {label["label"] for label in scores["labels"]} == {"negative", "neutral", "positive"}


def test_the_table_has_the_baseline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "evaluate",
        "-m",
        str(folder / "run"),
        "-s",
        f"{folder}/test.tsv:2",
        "-r",
        f"{folder}/test.tsv:1",
    ]
    assert main(words) == 0
    assert "always 'positive'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "check"),
    [
        ([], lambda line: line in ("negative", "neutral", "positive")),
        (["--probabilities"], lambda line: 0.3 < float(line.partition("\t")[2]) <= 1.0),
        (
            ["--format", "jsonl"],
            lambda line: sum(json.loads(line)["probabilities"].values()) == pytest.approx(1.0),
        ),
    ],
)
def test_every_line_has_a_label(folder, capsys, monkeypatch, options, check) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("a dull film\n\nπλοκή\n".encode())))
    assert main(["classify", "-m", str(folder / "run"), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(check(line) for line in lines)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_labels_do_not_depend_on_other_lines(folder: Path, precision: str) -> None:
    classifier = TextClassifier.load(folder / "run", precision=precision)
    texts = ["the plot was dull", "", "what a clever film, I thought it would be noisy", "dull " * 40]
    together = classifier.classify(texts)
    assert [classifier.classify([text])[0] for text in texts] == together
    assert list(classifier.stream(iter(texts), batch_size=2)) == together
    assert [result.text for result in together] == texts


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_a_run_resumes_exactly(folder: Path, tmp_path: Path, cell: str) -> None:
    words = ["train", "--task", "classification", "--tsv", str(folder / "train.tsv"), "--cell", cell, *SMALL]
    words += ["--set", f"data.prepared={tmp_path / 'prepared'}", "--set", "training.validate_every=2"]
    words += ["--set", "training.schedule.name=constant", "--set", "training.average=none"]
    for name, limits in (("whole", ["4"]), ("parts", ["2", "4"])):
        for limit in limits:
            resume = ["--resume"] if limit != limits[0] else []
            assert (
                main([*words, "-o", str(tmp_path / name), "--set", f"training.max_steps={limit}", *resume])
                == 0
            )
    states = [
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
        for name in ("whole", "parts")
    ]
    for name, weight in states[0].items():
        assert torch.equal(weight, states[1][name]), name


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["evaluate", "-m", "RUN", "-s", "TEST:2"], "-r"),
        (["evaluate", "-m", "RUN", "-s", "TEST:1", "-r", "TEST:2"], "label"),
        (["evaluate", "-m", "RUN", "-s", "TEST:2", "-r", "TEST:1", "--analysis"], "--analysis"),
        (
            ["evaluate", "-m", "RUN", "-s", "TEST:2", "-r", "TEST:1", "--train-source", "TEST:2"],
            "--train-target",
        ),
        (["translate", "-m", "RUN"], "nmt-lstm classify"),
        (["classify", "-m", "builtin:en-ja"], "nmt-lstm translate"),
        (["compare", "RUN/run.toml", "--vary", "model.encoder.cell=gru,lstm", "-o", "out"], "classifier"),
        (["train", "--task", "classification", "--tsv", "TEST", "--columns", "1,2", "-o", "out"], "label"),
        (
            [
                "train",
                "--task",
                "classification",
                "--tsv",
                "TEST",
                "-o",
                "out",
                "--set",
                "model.decoder.cell=gru",
            ],
            "decoder",
        ),
        (
            ["train", "--task", "classification", "--tsv", "TEST", "-o", "out", "--set", "data.targets=text"],
            "targets",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(folder, capsys, monkeypatch, tmp_path, words, word) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"RUN": str(folder / "run"), "TEST": str(folder / "test.tsv")}
    text = [
        names.get(each, each.replace("TEST", names["TEST"]).replace("RUN/", names["RUN"] + "/"))
        for each in words
    ]
    assert main(text) in (1, 2)
    assert word in capsys.readouterr().err


def test_an_unknown_label_of_the_validation_text_is_found_before_training(
    folder: Path, tmp_path: Path
) -> None:
    from nmt_lstm.config.load import make_run

    (tmp_path / "valid.tsv").write_text("positive\ta film\nangry\ta plot\n", encoding="utf-8")
    values = {
        "task": "classification",
        "data": {
            "train_source": f"{folder}/train.tsv:2",
            "train_target": f"{folder}/train.tsv:1",
            "valid_source": f"{tmp_path}/valid.tsv:2",
            "valid_target": f"{tmp_path}/valid.tsv:1",
            "prepared": str(tmp_path / "prepared"),
        },
    }
    with pytest.raises(DataError, match="angry") as refused:
        prepare(make_run(values))
    assert refused.value.line == 2
    with pytest.raises(ConfigurationError, match="classification"):
        make_run({**values, "task": "translation"}, ["data.targets=labels"])


def test_the_generator_writes_the_same_files_each_time(
    repository: Path, folder: Path, tmp_path: Path
) -> None:
    script = repository / "data" / "reviews" / "generate.py"
    subprocess.run([sys.executable, script, "--output", tmp_path, "--train", "900"], check=True)
    for name in ("train.tsv", "test.tsv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_texts_that_contain_their_labels_are_not_scored(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "-m", str(folder / "run"), "-s", f"{folder}/test.tsv", "-r", f"{folder}/test.tsv:1"]
    assert main(words) == 1
    assert "test.tsv:2" in capsys.readouterr().err
