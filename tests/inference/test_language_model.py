"""Language models beside translators: the same translation in any batch, and other pieces are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import ModelSettings, SearchSettings, SubwordSettings
from nmt_lstm.errors import ConfigurationError, WrongTaskError
from nmt_lstm.inference.exported import write_exported
from nmt_lstm.inference.language_model import prepare_language_model
from nmt_lstm.inference.nbest_lists import Candidate, NBestList
from nmt_lstm.inference.requests import TranslationRequest
from nmt_lstm.inference.rescoring import RescoringWeights
from nmt_lstm.inference.rescoring_models import load_rescorer
from nmt_lstm.inference.translator import Translator
from nmt_lstm.model.build import build_language_model
from nmt_lstm.search.forced import forced_log_probabilities
from nmt_lstm.text.subwords import train_subwords

LINES = ["eins", "zwei drei .", "", "vier fünf sechs sieben acht .", "null ."]


def network(size, **settings):
    values = {"embedding_size": 12, "decoder": {"hidden_size": 16, "layers": 2, **settings}}
    torch.manual_seed(3)
    model = build_language_model(ModelSettings.model_validate(values), size, size).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    return model


@pytest.fixture(scope="module")
def language_model(tmp_path_factory, tiny_run, subwords) -> Path:
    """A folder of a language model with large random weights and the pieces of the tests' translation models."""
    folder = tmp_path_factory.mktemp("lm") / "model"
    values = {
        "task": "language-model",
        "data": {"train_source": "text"},
        "model": {"embedding_size": 12, "decoder": {"hidden_size": 16, "layers": 2}},
    }
    state = network(subwords.target.size).state_dict()
    write(folder, run=make_run(values), subwords=subwords, model_state=state, metrics={})
    return folder


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("residual", [False, True])
def test_a_prepared_model_computes_the_same(sources, decode, cell, residual) -> None:
    model = network(61, cell=cell, residual=residual)
    expected, _ = decode(model, sources)
    logits, attention = decode(prepare_language_model(model).pack(), sources)
    assert torch.allclose(logits, expected, atol=1e-4)
    assert not attention.any()
    quantized, _ = decode(prepare_language_model(model, "int8").pack(), sources)
    assert (quantized.softmax(1) - expected.softmax(1)).abs().max() < 0.1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"beam_size": 1},
        {"beam_size": 4, "beam_groups": 2, "language_model_weight": 1.0},
        {"method": "sampling"},
        {"no_repeat_ngram": 2, "repetition_penalty": 1.2, "coverage_penalty": 0.2},
    ],
)
def test_translations_do_not_depend_on_the_batch_size(random_model_folder, language_model, settings) -> None:
    search = SearchSettings(max_length_ratio=0.5, **settings)
    n_best = 1 if search.beam_size == 1 else 2
    translator = Translator.load(random_model_folder, device="cpu", language_model=language_model)
    lines = [*LINES, TranslationRequest("eins zwei", prefix="drei", avoid=["vier"])]
    expected = translator.translate(lines, batch_size=1, search=search, n_best=n_best)
    assert translator.translate(lines, batch_size=16, search=search, n_best=n_best) == expected
    assert expected[len(LINES)].text.startswith("drei")
    plain = Translator.load(random_model_folder, device="cpu")
    unfused = search.model_copy(update={"language_model_weight": 0.0})
    without = plain.translate(lines, search=unfused, n_best=n_best)
    assert without != expected
    assert translator.translate(lines, search=unfused, n_best=n_best) == without


def test_scores_are_weighted_sums_of_both(random_model_folder, language_model) -> None:
    translator = Translator.load(random_model_folder, device="cpu", language_model=language_model)
    search = SearchSettings(language_model_weight=0.7)
    request = TranslationRequest(LINES[1], require=["acht"])
    translations = translator.translate([LINES[0], request], search=search, probabilities=True)
    model = read(language_model).load_language_model()
    for translation in translations:
        (hypothesis,) = translation.hypotheses
        (values,) = forced_log_probabilities(model, source_batch([[4]]), [hypothesis.ids])
        # Probabilities of pieces are those of the translation model alone.
        expected = sum(hypothesis.piece_log_probabilities) + 0.7 * sum(values)
        assert hypothesis.log_probability == pytest.approx(expected, abs=1e-3)


def test_exported_models_take_a_language_model(random_model_folder, language_model, tmp_path) -> None:
    write_exported(tmp_path / "exported", read(random_model_folder), "int8")
    translator = Translator.load(tmp_path / "exported", language_model=language_model)
    search = SearchSettings(language_model_weight=1.0, max_length_ratio=0.5)
    expected = translator.translate(LINES, batch_size=1, search=search)
    assert translator.translate(LINES, search=search) == expected
    assert expected != Translator.load(tmp_path / "exported").translate(LINES)


def test_other_pieces_are_refused(random_model_folder, language_model, tmp_path) -> None:
    folder = read(language_model)
    pairs = [(f"a b {letter}", f"c {letter} d") for letter in "efghijk"] * 20
    others = train_subwords(lambda: pairs, SubwordSettings(vocabulary_size=280), len(pairs), seed=1)
    state = network(others.target.size).state_dict()
    write(tmp_path / "lm", run=folder.run, subwords=others, model_state=state, metrics={})
    with pytest.raises(ConfigurationError, match="subwords.model") as error_info:
        Translator.load(random_model_folder, device="cpu", language_model=tmp_path / "lm")
    assert error_info.value.key == "language_model"
    # Rescoring only needs texts.
    rescorer = load_rescorer(language_model=tmp_path / "lm", reverse=random_model_folder, device="cpu")
    hypotheses = [Candidate(text, -1.0, 2, {"text": text}) for text in ("a b", "")]
    (rescored,) = rescorer.rescore(
        [NBestList("eins", 1, tuple(hypotheses), {})],
        RescoringWeights({"score": 1.0, "lm": 1.0, "reverse": 0.5, "length": 0.0}),
    )
    model = read(tmp_path / "lm")
    for each in rescored.candidates:
        pieces = model.subwords.target.encode(each.text)
        (values,) = forced_log_probabilities(model.load_language_model(), source_batch([[4]]), [pieces])
        (reverse,) = Translator.load(random_model_folder, device="cpu").score([each.text], ["eins"])
        mean = sum(reverse.piece_log_probabilities) / len(reverse.piece_log_probabilities)
        assert each.score == pytest.approx(-1.0 + sum(values) / len(values) + 0.5 * mean, abs=1e-3)


def test_a_translation_model_is_no_language_model(random_model_folder) -> None:
    with pytest.raises(WrongTaskError):
        Translator.load(random_model_folder, device="cpu", language_model=random_model_folder)
    with pytest.raises(WrongTaskError):
        load_rescorer(language_model=random_model_folder, device="cpu")


def test_a_weight_without_a_language_model_is_refused(random_model_folder) -> None:
    translator = Translator.load(random_model_folder, device="cpu")
    with pytest.raises(ConfigurationError, match="--lm") as error_info:
        translator.translate(LINES, search=SearchSettings(language_model_weight=0.3))
    assert error_info.value.key == "search.language_model_weight"
