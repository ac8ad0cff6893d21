"""The results of a translator: hypotheses, alignments, attention and probabilities."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
from pathlib import Path

import pytest

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.cells.gate_record import GateRecord
from nmt_lstm.errors import DataError
from nmt_lstm.inference.translation import Hypothesis, ScoredTranslation, Translation
from nmt_lstm.inference.translator import Translator
from nmt_lstm.search.forced import forced_log_probabilities

WORDS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "."]
LINES = [
    " ".join(WORDS[(index * step) % 11] for index in range(1 + length))
    for length, step in itertools.product(range(11), range(1, 5))
]


@pytest.fixture(scope="module")
def translator(random_model_folder: Path) -> Translator:
    return Translator.load(random_model_folder, device="cpu")


def test_n_best_hypotheses_are_sorted_and_different(translator) -> None:
    for translation in translator.translate(LINES[:9], n_best=4, beam_size=8):
        scores = [hypothesis.score for hypothesis in translation.hypotheses]
        assert len(scores) == 4
        assert scores == sorted(scores, reverse=True)
        assert translation.text == translation.hypotheses[0].text
        assert translation.score == scores[0]
        assert len({hypothesis.text for hypothesis in translation.hypotheses}) == 4


def test_hypotheses_with_the_same_text_are_merged(translator) -> None:
    translations = translator.translate(LINES[:9], n_best=4, beam_size=4)
    assert any(
        len(translation.hypotheses) < 4 for translation in translations
    )  # some texts occur twice in the beam
    for translation in translator.translate(LINES[:9], n_best=2, beam_size=4):
        first, second = translation.hypotheses
        assert first.text != second.text


def test_alignment_points_into_both_sides(translator) -> None:
    translations = translator.translate(LINES)
    assert any(translation.alignment for translation in translations)
    for translation in translations:
        targets = [target for _, target in translation.alignment]
        assert targets == sorted(set(targets))
        for source, target in translation.alignment:
            assert 0 <= source < len(translation.source_pieces)
            assert 0 <= target < len(translation.pieces)


def test_attention_is_stored_on_request(translator) -> None:
    plain = translator.translate(LINES[:9], n_best=2)
    assert all(translation.attention is None for translation in plain)
    attended = translator.translate([*LINES[:9], ""], n_best=2, attention=True)
    assert attended[:9] == plain
    assert attended[9].attention is None
    for translation in attended[:9]:
        for hypothesis in translation.hypotheses:
            weights = hypothesis.attention
            assert weights.shape == (len(hypothesis.pieces), len(translation.source_pieces) + 1)
            assert weights.sum(1) == pytest.approx(1.0, abs=1e-5)
            aligned = [(int(row.argmax()), index) for index, row in enumerate(weights)]
            inside = [pair for pair in aligned if pair[0] < len(translation.source_pieces)]
            assert tuple(inside) == hypothesis.alignment


def test_results_have_a_readable_representation(translator) -> None:
    best, second = (
        Hypothesis(text, score, 3 * score, ("a",), ()) for text, score in (("Hi", -0.5), ("Hey", -1.0))
    )
    shown = repr(Translation("Hallo", "Hi", -0.5, ("Hallo",), (best, second)))
    assert "source='Hallo', text='Hi', score=-0.5" in shown
    assert "text='Hey', score=-1.0, log_probability=-3.0" in shown
    assert "lstm" in repr(translator)
    assert "float32 on cpu" in repr(translator)


@pytest.mark.parametrize("kind", [Hypothesis, Translation, ScoredTranslation, GateRecord])
def test_the_docstring_explains_each_field(kind) -> None:
    documented = re.findall(r"^ {4}(\w+): ", inspect.getdoc(kind).partition("Attributes:")[2], re.MULTILINE)
    assert documented == [field.name for field in dataclasses.fields(kind)]


def test_score_is_the_log_probability_of_the_targets_pieces(translator) -> None:
    sources, targets = LINES[:12], LINES[20:32]
    for scored, source, target in zip(translator.score(sources, targets), sources, targets, strict=True):
        pieces = translator.subwords.target.encode(target)
        batch = source_batch([translator.subwords.source.encode(source)])
        (expected,) = forced_log_probabilities(translator.models[0], batch, [pieces])
        assert (scored.source, scored.target) == (source, target)
        assert scored.pieces == (*translator.subwords.target.pieces(pieces), "</s>")
        assert scored.piece_log_probabilities == pytest.approx(expected, rel=1e-4)
        assert scored.log_probability == pytest.approx(sum(expected), rel=1e-4)


def test_scores_do_not_depend_on_the_batch_size(translator) -> None:
    sources, targets = [*LINES[:12], "", "\x00", "eins"], [*LINES[12:24], "zwei", "", ""]
    expected = translator.score(sources, targets, batch_size=1)
    assert [len(scored.pieces) for scored in expected[-2:]] == [1, 1]
    assert translator.score(sources, targets, batch_size=64) == expected


def test_different_numbers_of_sources_and_targets_are_an_error(translator) -> None:
    with pytest.raises(DataError, match="2 sources but 1 targets"):
        translator.score(["a", "b"], ["a"])


def test_without_alignment_translations_are_the_same(translator) -> None:
    aligned, without = (
        translator.translate(LINES[:9], n_best=2, alignment=alignment) for alignment in (True, False)
    )
    assert all(translation.alignment == () for translation in without)
    assert [each.text for each in without] == [each.text for each in aligned]
    assert [each.score for each in without] == [each.score for each in aligned]
    attended = translator.translate(LINES[:9], n_best=2, alignment=False, attention=True)
    assert all(each.attention is not None and each.alignment == () for each in attended)
