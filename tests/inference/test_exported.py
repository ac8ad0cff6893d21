"""Exported folders say what the prepared model says, and are refused where they do not belong."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.checkpoint.model_folder import read
from nmt_lstm.checkpoint.weights import load_weights, save_weights
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.files.checksums import checked_json, parse_checked
from nmt_lstm.inference import exported as module
from nmt_lstm.inference.exported import load_exported, write_exported
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
def test_it_says_what_the_prepared_model_says(random_model_folder, tmp_path, precision) -> None:
    write_exported(tmp_path / "fast", read(random_model_folder), precision)
    expected = Translator.load(random_model_folder, device="cpu", precision=precision)
    found = Translator.load(tmp_path / "fast")
    assert found.precision == precision
    assert found.translate(LINES) == expected.translate(LINES)
    assert found.score(LINES, LINES[::-1]) == expected.score(LINES, LINES[::-1])


def test_one_in_bf16_translates_in_float32_where_the_processor_has_no_bf16(
    random_model_folder, tmp_path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(numerics_precision, "bf16_works", lambda: False)
    monkeypatch.setattr(onednn, "packing_works", lambda dtype: dtype != torch.bfloat16)
    write_exported(tmp_path / "fast", read(random_model_folder), "bf16")
    with caplog.at_level("WARNING", "nmt_lstm"):
        found = Translator.load(tmp_path / "fast")
    (record,) = caplog.records
    assert f"does not compute in bf16, in which '{tmp_path / 'fast'}' was exported" in record.getMessage()
    assert found.precision == "bf16"
    expected = Translator.load(random_model_folder, device="cpu").score(LINES, LINES[::-1])
    for one, other in zip(found.score(LINES, LINES[::-1]), expected, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, rel=0.02)


def test_the_shortlist_comes_with_it_but_scores_need_the_whole_vocabulary(
    exported, random_model_folder, shortlist
) -> None:
    translator = Translator.load(exported)
    whole = Translator.load(random_model_folder, device="cpu", precision="int8")
    allowed = shortlist.allowed
    assert sum(bool(translation.pieces) for translation in translator.translate(LINES)) > len(LINES) / 2
    for translation, line in zip(translator.translate(LINES), LINES, strict=True):
        if line:
            from nmt_lstm.batching.batch import source_batch

            own = allowed(source_batch([translator.subwords.source.encode(line)]))[0]
            ids = translator.subwords.target.encode(translation.text)
            assert translation.text == "" or own[torch.tensor(ids)].float().mean() > 0.5
    assert translator.translate(LINES) != whole.translate(LINES)
    assert translator.score(LINES, LINES[::-1]) == whole.score(LINES, LINES[::-1])


def test_several_form_an_ensemble_of_the_whole_vocabulary(exported, random_model_folder) -> None:
    twice = Translator.load([exported, exported]).translate(LINES)
    once = Translator.load(random_model_folder, device="cpu", precision="int8").translate(LINES)
    assert [translation.text for translation in twice] == [translation.text for translation in once]


def test_it_is_for_its_own_precision_and_not_for_training(exported) -> None:
    with pytest.raises(ConfigurationError, match="was exported in int8 and cannot compute in float32; leave"):
        Translator.load(exported, precision="float32")
    with pytest.raises(
        ModelFolderError, match="was exported: it translates, but .* the folder it was made from"
    ):
        read(exported).load_model()
    with pytest.raises(ModelFolderError, match="was exported: it translates"):
        write_exported(exported.parent / "again", read(exported), "int8")


def test_weights_of_another_shape_say_to_export_again(exported, monkeypatch) -> None:
    state = load_weights(exported / "model.safetensors", torch.device("cpu"))
    save_weights(exported / "model.safetensors", {name: state[name] for name in list(state)[1:]})
    monkeypatch.setattr("nmt_lstm.checkpoint.model_folder.check_files", lambda *_: None)
    with pytest.raises(
        ModelFolderError, match=r"was exported by nmt-lstm .*, which prepared .*; export it again"
    ):
        load_exported(read(exported))


def test_an_unknown_precision_says_to_export_again(exported) -> None:
    manifest = parse_checked((exported / "manifest.json").read_text())
    manifest["exported"] = "int4"
    (exported / "manifest.json").write_text(checked_json(manifest))
    with pytest.raises(ModelFolderError, match="export it again"):
        load_exported(read(exported))


def test_loading_draws_no_weights(exported, monkeypatch) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load_exported(read(exported))
    assert torch.equal(torch.rand(4), expected)


def test_the_skeleton_has_the_names_and_shapes_of_the_prepared_model(random_model_folder, tmp_path) -> None:
    for precision in ("float32", "bf16", "int8"):
        real = prepare_for_inference(read(random_model_folder).load_model(), precision).state_dict()
        write_exported(tmp_path / precision, read(random_model_folder), precision)
        skeleton = module._skeleton(read(tmp_path / precision)).state_dict()
        assert {name: (values.shape, values.dtype) for name, values in skeleton.items()} == {
            name: (values.shape, values.dtype) for name, values in real.items()
        }


def tables_of(model):
    return [part for part in model.modules() if isinstance(part, PieceTable)]


def test_tables_of_earlier_exports_are_quantised_when_they_are_read(exported, monkeypatch) -> None:
    """They were bf16, without a scale."""
    expected = tables_of(load_exported(read(exported)))
    real = module.load_weights

    def as_before(path, device):
        state = real(path, device)
        for name in [name for name in state if state[name].shape[1:] == (1,)]:
            weight = name.replace("scale", "weight")
            state[weight] = (state[weight].float() * state.pop(name)).bfloat16()
        return state

    monkeypatch.setattr(module, "load_weights", as_before)
    found = tables_of(load_exported(read(exported)))
    assert len(found) == len(expected) == 3
    pieces = torch.arange(len(expected[0].weight))
    for one, other in zip(found, expected, strict=True):
        assert one.weight.dtype == torch.int8
        assert torch.allclose(one(pieces), other(pieces), atol=0.02 * other(pieces).abs().max().item())
