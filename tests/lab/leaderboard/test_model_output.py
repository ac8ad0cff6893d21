"""Model folders on a board: translation, facts, reuse of outputs, direction, and interruption."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nmt_lstm import Leaderboard, Translator
from nmt_lstm.config.load import load_run, make_run
from nmt_lstm.errors import ConfigurationError, DataError, ModelFolderError
from nmt_lstm.files.checksums import checked_json, parse_checked
from nmt_lstm.lab.leaderboard.entries import Entries
from nmt_lstm.lab.leaderboard.model_output import ModelOutput, _without_folders
from nmt_lstm.lab.leaderboard.record import Facts

from .conftest import lines_of, write


@pytest.fixture
def texts(texts):
    """Only a few lines, because random weights translate them into very long ones."""
    for path in (texts.source, texts.reference, texts.good):
        write(path, lines_of(path)[:6])
    return texts


@pytest.fixture
def model(random_model_folder, tmp_path):
    """A model folder with training metrics."""
    folder = tmp_path / "runs" / "tiny"
    shutil.copytree(random_model_folder, folder)
    metrics = json.dumps({"training_seconds": 1800.0, "weights_of_steps": [10, 20]})
    (folder / "metrics.json").write_text(metrics)
    manifest = parse_checked((folder / "manifest.json").read_text())
    manifest["files"]["metrics.json"] = {
        "bytes": len(metrics),
        "sha256": hashlib.sha256(metrics.encode()).hexdigest(),
    }
    (folder / "manifest.json").write_text(checked_json(manifest))
    return folder


def with_languages(model, source: str, target: str):
    """Return the model folder after writing languages into its run file."""
    path = model / "run.toml"
    text = path.read_text()
    text = text.replace('source_language = ""', f'source_language = "{source}"')
    text = text.replace('target_language = ""', f'target_language = "{target}"')
    path.write_text(text)
    manifest = parse_checked((model / "manifest.json").read_text())
    data = text.encode()
    manifest["files"]["run.toml"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (model / "manifest.json").write_text(checked_json(manifest))
    return model


def test_a_model_translates_the_test_set_and_gives_facts(empty_board, model, texts) -> None:
    (row,) = empty_board.add(model=model, beam_size=2)
    assert row.system == "tiny"
    expected = Translator.load(model).translate(lines_of(texts.source), beam_size=2)
    assert empty_board.files.text(row.hypotheses) == [each.text for each in expected]
    facts = row.facts
    manifest = json.loads((model / "manifest.json").read_text())
    assert facts.toolkit == "nmt-lstm"
    assert facts.parameters == manifest["parameters"]
    assert facts.versions == manifest["versions"]
    assert facts.models == (manifest["files"]["model.safetensors"]["sha256"],)
    run = load_run(model / "run.toml")
    paths = {name: value.name for name, value in run.data if isinstance(value, Path)}
    stored = tomllib.loads(facts.run_files[0])
    assert {name: stored["data"][name] for name in paths} == paths
    assert len(paths) == 5
    assert stored["model"] == tomllib.loads((model / "run.toml").read_text())["model"]
    assert (facts.training_hours, facts.seed, facts.beam_size, facts.precision) == (0.5, 1, 2, "float32")
    settings = Translator.load(model).run.training
    assert facts.training_pieces == 20 * settings.batch_pieces
    assert facts.sentences_per_second > 0
    assert facts.hardware


def test_missing_facts_are_unknown(empty_board, random_model_folder) -> None:
    (row,) = empty_board.add("x", model=random_model_folder, facts={"note": "random weights"})
    assert (row.facts.training_hours, row.facts.training_pieces) == (None, None)
    assert row.facts.note == "random weights"
    assert row.facts.toolkit == "nmt-lstm"


def test_an_ensemble_is_one_system(empty_board, model) -> None:
    (row,) = empty_board.add(model=[model, model], beam_size=1)
    assert row.system == "tiny+tiny"
    assert row.facts.parameters == 2 * json.loads((model / "manifest.json").read_text())["parameters"]
    assert (row.facts.training_hours, row.facts.seed, len(row.facts.run_files)) == (1.0, 1, 2)


def test_a_stored_output_is_not_translated_again(empty_board, model, monkeypatch) -> None:
    first = empty_board.add(model=model)
    monkeypatch.setattr(Translator, "load", lambda *_, **__: pytest.fail("translated again"))
    assert Leaderboard(empty_board.folder).add(model=model) == first
    with pytest.raises(DataError, match="different output on 'numbers'"):
        empty_board.add(model=model, beam_size=1)


def test_a_different_search_replaces_the_output_on_request(empty_board, model) -> None:
    empty_board.add(model=model)
    (row,) = empty_board.add(model=model, beam_size=1, replace=True)
    assert row.facts.beam_size == 1
    assert empty_board.current() == [row]


def test_a_model_with_a_different_direction_is_rejected(empty_board, model) -> None:
    with_languages(model, "en", "de")
    with pytest.raises(ConfigurationError, match="translates en-de, and board"):
        empty_board.add(model=model)
    with pytest.raises(ConfigurationError, match="'numbers' is de-en"):
        empty_board.add(model=model, test_set="numbers")
    assert empty_board.current() == []


def test_test_sets_with_other_directions_are_skipped(texts, model, tmp_path, caplog) -> None:
    caplog.set_level("INFO", logger="nmt_lstm")
    back = {"source": texts.reference, "references": [texts.source], "source_language": "en"}
    there = {"source": texts.source, "references": [texts.reference], "source_language": "de_AT"}
    board = Leaderboard.create(
        tmp_path / "b",
        {"there": {**there, "target_language": "en"}, "back": {**back, "target_language": "de"}},
    )
    rows = board.add(model=with_languages(model, "de", "en"))
    assert [row.test_set for row in rows] == ["there"]
    assert "back skipped: its direction is en-de" in caplog.text


def test_a_missing_model_folder_is_named(empty_board, tmp_path) -> None:
    with pytest.raises(ModelFolderError, match="model folder .* does not exist"):
        empty_board.add(model=tmp_path / "none")


@dataclass
class InterruptedModel:
    """A model that is interrupted in its second translation."""

    lines: list[str]
    translated: list[str] = field(default_factory=list)

    def matches(self, facts) -> bool:
        return bool(facts.models)

    def translate(self, test_set):
        self.translated.append(test_set.name)
        if len(self.translated) == 2:
            raise KeyboardInterrupt
        return self.lines, Facts(models=("x",))


def test_an_interrupted_add_can_be_repeated(texts, tmp_path) -> None:
    given = {"source": texts.source, "references": [texts.reference]}
    board = Leaderboard.create(tmp_path / "b", {"one": given, "two": given})
    entries = Entries(board.files, board.scoring)
    model = InterruptedModel(lines_of(texts.good))

    def add_all() -> None:
        for name in ("one", "two"):
            entries.add_model("m", model, board.test_sets.get(name), Facts(), replace=False)

    with pytest.raises(KeyboardInterrupt):
        add_all()
    assert [row.test_set for row in board.current()] == ["one"]
    assert board.verify().problems == []
    add_all()
    assert [row.test_set for row in board.current()] == ["one", "two"]
    assert model.translated == ["one", "two", "two"]  # the first was not translated again


def test_languages_are_compared_without_their_regions(model) -> None:
    output = ModelOutput(
        [with_languages(model, "pt_BR", "en")], beam_size=None, batch_size=8, device="cpu", precision="auto"
    )
    assert output.fits("pt", "EN-gb")
    assert output.fits("", "en")
    assert not output.fits("de", "en")


def test_an_onnx_export_is_recognised(empty_board, model, tmp_path) -> None:
    """An export has its weights in its graphs, which identify it."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from nmt_lstm.checkpoint.model_folder import read
    from nmt_lstm.inference.onnx.folder import write_onnx

    write_onnx(tmp_path / "graphs", read(model))
    (row,) = empty_board.add("graphs", model=tmp_path / "graphs", beam_size=1)
    (again,) = empty_board.add("graphs", model=tmp_path / "graphs", beam_size=1)
    assert again == row
    assert row.facts.precision == "float32"
    assert [len(digest) for digest in row.facts.models] == [64]
    assert row.facts.models != (read(model).weights_sha256,)


def test_run_files_of_rows_name_no_folders() -> None:
    pair = {"source": "/home/me/a.de", "target": ["/home/me/a.en", "/home/me/b.en"]}
    run = make_run(
        {
            "data": {
                "corpora": [
                    {"tsv": "/home/me/x.tsv", "tag": "<1>"},
                    {**pair, "source": ["/home/me/a", "/home/me/b"]},
                ],
                "valid_source": ["/home/me/c", "/home/me/d"],
                "valid_target": ["/home/me/e", "/home/me/f"],
                "prepared": "/home/me/prepared",
            }
        }
    )
    data = _without_folders(run).data
    assert "home" not in str(data)
    assert data.corpora[1].target == (Path("a.en"), Path("b.en"))
