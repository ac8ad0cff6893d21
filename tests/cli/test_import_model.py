"""``nmt-lstm import`` writes a model folder, and reports wrong arguments before anything is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.cli.app import main
from nmt_lstm.config.load import load_model_run

MODELS = Path(__file__).resolve().parents[1] / "importing" / "models"
JOEYNMT, MARIAN = MODELS / "joeynmt-gru", MODELS / "marian-gru"


def test_a_model_folder_is_written(tmp_path, capsys) -> None:
    output = tmp_path / "imported"
    assert main(["import", "joeynmt", str(JOEYNMT), "-o", str(output)]) == 0
    folder = model_folder.read(output)
    assert folder.metrics["imported"] == {"toolkit": "JoeyNMT 2.3.0", "file": "joeynmt-gru"}
    assert folder.run.data.source_language == "de"
    assert (folder.run.search.beam_size, folder.run.search.length_penalty) == (1, "wu")
    folder.load_model()
    messages = capsys.readouterr().err
    assert "parameters" in messages
    assert f"translate -m {output}" in messages


def test_vocabularies_are_those_of_source_and_target(tmp_path, capsys) -> None:
    shutil.copy(MARIAN / "model.npz", tmp_path)
    model, output = str(tmp_path / "model.npz"), str(tmp_path / "imported")
    assert main(["import", model, "-o", output]) == 1
    assert "--vocabulary" in capsys.readouterr().err
    words = [f"--vocabulary={MARIAN}/vocabulary.{side}.yml" for side in ("de", "en")]
    assert main(["import", model, *words, "-o", output]) == 0
    assert "split" in capsys.readouterr().err
    subwords = model_folder.read(output).subwords
    assert not subwords.joint
    assert subwords.source.decode(subwords.source.encode("das haus")) == "das haus"
    assert load_model_run(Path(output) / "run.toml").model.decoder.wiring == "conditional"


def test_an_existing_model_is_kept_unless_told_otherwise(tmp_path, capsys) -> None:
    output = str(tmp_path / "imported")
    assert main(["import", str(JOEYNMT), "-o", output]) == 0
    assert main(["import", str(JOEYNMT), "-o", output]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["import", str(JOEYNMT), "-o", output, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["a", "b", "c", "-o", "out"], "argument"),
        (["eole", ".", "-o", "out"], "vocab.json"),
        (["jeynmt", ".", "-o", "out"], "joeynmt"),
        (["missing.npz", "-o", "out"], "missing.npz"),
        ([".", "-o", "."], "-o"),
        ([".", "-o", "out", *["--vocabulary=v"] * 3], "--vocabulary"),
        ([], "TOOLKIT"),
    ],
)
def test_wrong_arguments_are_reported(tmp_path, monkeypatch, capsys, words, key) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["import", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert key in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_refused_model_writes_nothing(tmp_path, capsys) -> None:
    model, output = tmp_path / "run", tmp_path / "imported"
    shutil.copytree(JOEYNMT, model)
    configuration = model / "config.yaml"
    text = configuration.read_text("utf-8")
    configuration.write_text(text.replace('"type": "recurrent"', '"type": "transformer"'), "utf-8")
    assert main(["import", str(model), "-o", str(output)]) == 1
    error = capsys.readouterr().err
    assert error.count("transformer") == 2
    assert not output.exists()


@pytest.mark.parametrize("name", ["config.yaml", "best.ckpt", "trg_vocab.txt"])
@pytest.mark.parametrize("damage", ["missing", "empty", "other"])
def test_damaged_files_are_reported_by_name(tmp_path, capsys, name, damage) -> None:
    model, output = tmp_path / "run", tmp_path / "imported"
    shutil.copytree(JOEYNMT, model)
    file = model / name
    file.unlink()
    if damage != "missing":
        file.write_bytes(b"" if damage == "empty" else b"\xff\xfe[1, 2")
    assert main(["import", "joeynmt", str(model), "-o", str(output)]) == 1
    error = capsys.readouterr().err
    assert str(model) in error
    assert "Traceback" not in error
    assert not output.exists()


def test_a_vocabulary_of_another_size_is_mentioned(tmp_path, capsys) -> None:
    longer = tmp_path / "longer.yml"
    longer.write_text((MARIAN / "vocabulary.de.yml").read_text("utf-8") + '"extra": 99\n', "utf-8")
    words = [f"--vocabulary={longer}", f"--vocabulary={MARIAN}/vocabulary.en.yml"]
    assert main(["import", str(MARIAN / "model.npz"), *words, "-o", str(tmp_path / "imported")]) == 0
    assert "belong together" in capsys.readouterr().err
