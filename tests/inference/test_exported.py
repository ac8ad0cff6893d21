"""Exported folders translate like the prepared model, and cannot be used for anything else."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.checkpoint.model_folder import read
from nmt_lstm.checkpoint.weights import load_weights, save_weights
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.files.checksums import checked_json, parse_checked
from nmt_lstm.inference import exported as module
from nmt_lstm.inference.exported import build_skeleton, load_exported, write_exported
from nmt_lstm.inference.inference_model import prepare_for_inference
from nmt_lstm.inference.lexicon import learn_lexicon
from nmt_lstm.inference.shortlist import Shortlist
from nmt_lstm.inference.translator import Translator
from nmt_lstm.numerics import onednn
from nmt_lstm.numerics import precision as numerics_precision
from nmt_lstm.numerics.piece_table import PieceTable

LINES = ["eins zwei .", "drei vier fünf sechs .", "", "sieben", "acht neun null eins zwei ."]


@pytest.fixture
def shortlist(subwords):
    sentences = subwords.source.encode_lines(LINES)
    pairs = list(zip(sentences, sentences[::-1], strict=True))
    lexicon = learn_lexicon(
        pairs, source_size=subwords.source.size, target_size=subwords.target.size, count=4
    )
    return Shortlist.of(lexicon, frequent=10, target_size=subwords.target.size)


@pytest.fixture
def exported(random_model_folder, tmp_path, shortlist):
    write_exported(tmp_path / "fast", read(random_model_folder), "int8", shortlist)
    return tmp_path / "fast"


@pytest.mark.parametrize("precision", ["float32", pytest.param("bf16", marks=pytest.mark.needs_bf16), "int8"])
def test_an_exported_folder_translates_and_scores_like_the_prepared_model(
    random_model_folder, tmp_path, precision
) -> None:
    write_exported(tmp_path / "fast", read(random_model_folder), precision)
    expected = Translator.load(random_model_folder, device="cpu", precision=precision)
    translator = Translator.load(tmp_path / "fast")
    assert translator.precision == precision
    assert translator.translate(LINES) == expected.translate(LINES)
    assert translator.score(LINES, LINES[::-1]) == expected.score(LINES, LINES[::-1])


def test_a_bf16_folder_translates_in_float32_on_a_processor_without_bf16(
    random_model_folder, tmp_path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(numerics_precision, "bf16_works", lambda: False)
    monkeypatch.setattr(onednn, "packing_works", lambda dtype: dtype != torch.bfloat16)
    write_exported(tmp_path / "fast", read(random_model_folder), "bf16")
    with caplog.at_level("WARNING", "nmt_lstm"):
        translator = Translator.load(tmp_path / "fast")
    (record,) = caplog.records
    assert "bf16" in record.getMessage()
    assert str(tmp_path / "fast") in record.getMessage()
    assert translator.precision == "bf16"
    expected = Translator.load(random_model_folder, device="cpu").score(LINES, LINES[::-1])
    for one, other in zip(translator.score(LINES, LINES[::-1]), expected, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, rel=0.02)


def test_translations_use_the_shortlist_of_the_folder_but_scores_the_complete_vocabulary(
    exported, random_model_folder, shortlist
) -> None:
    translator = Translator.load(exported)
    complete = Translator.load(random_model_folder, device="cpu", precision="int8")
    allowed = shortlist.allowed
    assert sum(bool(translation.pieces) for translation in translator.translate(LINES)) > len(LINES) / 2
    for translation, line in zip(translator.translate(LINES), LINES, strict=True):
        if translation.text:
            own = allowed(source_batch([translator.subwords.source.encode(line)]))[0]
            ids = translator.subwords.target.encode(translation.text)
            assert own[torch.tensor(ids)].float().mean() > 0.5
    assert translator.translate(LINES) != complete.translate(LINES)
    assert translator.score(LINES, LINES[::-1]) == complete.score(LINES, LINES[::-1])


def test_an_ensemble_of_exported_folders_does_not_use_shortlists(exported, random_model_folder) -> None:
    twice = Translator.load([exported, exported]).translate(LINES)
    once = Translator.load(random_model_folder, device="cpu", precision="int8").translate(LINES)
    assert [translation.text for translation in twice] == [translation.text for translation in once]


def test_an_exported_folder_has_one_precision_and_cannot_be_exported_again(exported) -> None:
    with pytest.raises(ConfigurationError, match="exported in int8 and cannot"):
        Translator.load(exported, precision="float32")
    with pytest.raises(ModelFolderError, match="was exported"):
        read(exported).load_model()
    with pytest.raises(ModelFolderError, match="was exported"):
        write_exported(exported.parent / "again", read(exported), "int8")


def test_a_folder_with_missing_weights_must_be_exported_again(exported, monkeypatch) -> None:
    state = load_weights(exported / "model.safetensors", torch.device("cpu"))
    save_weights(exported / "model.safetensors", {name: state[name] for name in list(state)[1:]})
    monkeypatch.setattr("nmt_lstm.checkpoint.model_folder.check_files", lambda *_: None)
    with pytest.raises(ModelFolderError, match="export it again"):
        load_exported(read(exported))


def test_a_folder_in_an_unknown_precision_must_be_exported_again(exported) -> None:
    manifest = parse_checked((exported / "manifest.json").read_text())
    manifest["exported"] = "int4"
    (exported / "manifest.json").write_text(checked_json(manifest))
    with pytest.raises(ModelFolderError, match="export it again"):
        load_exported(read(exported))


def test_loading_draws_no_random_numbers(exported) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load_exported(read(exported))
    assert torch.equal(torch.rand(4), expected)


def test_the_skeleton_has_the_names_and_shapes_of_the_prepared_model(random_model_folder, tmp_path) -> None:
    for precision in ("float32", "bf16", "int8"):
        expected = prepare_for_inference(read(random_model_folder).load_model(), precision).state_dict()
        write_exported(tmp_path / precision, read(random_model_folder), precision)
        skeleton = build_skeleton(read(tmp_path / precision)).state_dict()
        assert {name: (values.shape, values.dtype) for name, values in skeleton.items()} == {
            name: (values.shape, values.dtype) for name, values in expected.items()
        }


def piece_tables(model):
    return [module for module in model.modules() if isinstance(module, PieceTable)]


def test_bf16_tables_of_earlier_exports_are_quantized_when_they_are_loaded(exported, monkeypatch) -> None:
    expected = piece_tables(load_exported(read(exported)))
    original = module.load_weights

    def load_earlier_weights(path, device):
        state = original(path, device)
        for name in [name for name in state if state[name].shape[1:] == (1,)]:
            weight = name.replace("scale", "weight")
            state[weight] = (state[weight].float() * state.pop(name)).bfloat16()
        return state

    monkeypatch.setattr(module, "load_weights", load_earlier_weights)
    actual = piece_tables(load_exported(read(exported)))
    assert len(actual) == len(expected) == 3
    pieces = torch.arange(len(expected[0].weight))
    for one, other in zip(actual, expected, strict=True):
        assert one.weight.dtype == torch.int8
        assert torch.allclose(one(pieces), other(pieces), atol=0.02 * other(pieces).abs().max().item())
