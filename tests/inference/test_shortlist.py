"""Shortlists: the pieces on them, and search restricted to them."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.inference import shortlist as module
from nmt_lstm.inference.inference_model import prepare_for_inference
from nmt_lstm.inference.shortlist import Shortlist
from nmt_lstm.search.beam_search import beam_search

SIZE = 61


@pytest.fixture(autouse=True)
def small_unit(monkeypatch):
    monkeypatch.setattr(module, "UNIT", 8)


@pytest.fixture
def shortlist():
    translations = torch.full((SIZE, 2), -1, dtype=torch.int32)
    for piece in range(4, SIZE):
        translations[piece, 0] = 4 + (piece * 5) % 57
        translations[piece, 1] = -1 if piece % 2 else 4 + (piece * 3) % 57
    return Shortlist(translations, torch.tensor([7, 11, 60], dtype=torch.int32), SIZE)


def expected_pieces(shortlist, sentence):
    pieces = shortlist.translations[torch.tensor(sentence)].flatten().tolist()
    return {0, 1, 2, 3, 7, 11, 60, *(piece for piece in pieces if piece >= 0)}


def test_the_list_of_a_sentence_depends_on_the_sentence_alone(make_model, shortlist) -> None:
    sentences = [[5, 6, 7], [40], [8, 9, 10, 11, 12]]
    output = prepare_for_inference(make_model()).output
    candidates = shortlist(source_batch(sentences), output)
    pieces = candidates.pieces.tolist()
    assert pieces == sorted(pieces)
    assert pieces[:4] == [0, 1, 2, 3]
    assert len(pieces) % 8 == 0
    for sentence, penalties in zip(sentences, candidates.penalties, strict=True):
        allowed = {piece for piece, penalty in zip(pieces, penalties.tolist(), strict=True) if penalty == 0.0}
        assert allowed == expected_pieces(shortlist, sentence)
        assert set(penalties.tolist()) <= {0.0, -64.0}
    inputs = torch.randn(5, output.in_features)
    assert torch.allclose(candidates.output(inputs), output(inputs)[:, candidates.pieces], atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("beam_size", [1, 4])
def test_search_uses_pieces_on_the_list_in_any_batch(
    make_model, sources, shortlist, precision, beam_size
) -> None:
    model = prepare_for_inference(make_model(), precision).with_shortlist(shortlist).pack()
    settings = SearchSettings(beam_size=beam_size)
    together = beam_search(model, sources, settings, n_best=beam_size)
    for row, hypotheses in enumerate(together):
        sentence = sources.pieces[row, : sources.lengths[row] - 1].tolist()
        allowed = expected_pieces(shortlist, sentence)
        assert all(set(hypothesis.pieces) <= allowed for hypothesis in hypotheses)
        # Padded as in the batch, which `SentenceBatches` takes care of.
        single = source_batch([sentence], pad_to=sources.pieces.shape[1])
        alone = beam_search(model, single, settings, n_best=beam_size)[0]
        assert [one.pieces for one in alone] == [one.pieces for one in hypotheses]
        assert [one.score for one in alone] == pytest.approx([one.score for one in hypotheses], abs=1e-5)


def test_a_list_of_all_pieces_does_not_change_translations(make_model, sources) -> None:
    everything = Shortlist(
        torch.full((SIZE, 1), -1, dtype=torch.int32), torch.arange(SIZE, dtype=torch.int32), SIZE
    )
    model = prepare_for_inference(make_model()).pack()
    settings = SearchSettings(beam_size=3)
    expected = beam_search(model, sources, settings, n_best=3)
    actual = beam_search(model.with_shortlist(everything), sources, settings, n_best=3)
    assert [[one.pieces for one in row] for row in actual] == [
        [one.pieces for one in row] for row in expected
    ]
    assert actual[0][0].score == pytest.approx(expected[0][0].score, abs=1e-5)


def test_coverage_is_the_fraction_of_pieces_on_the_lists(shortlist) -> None:
    listed = sorted(expected_pieces(shortlist, [5]) - {0, 1, 2, 3})
    unlisted = next(piece for piece in range(4, SIZE) if piece not in listed)
    share, size = shortlist.coverage([([5], [listed[0], listed[1], unlisted, unlisted])])
    assert share == 0.5
    assert size == len(expected_pieces(shortlist, [5]))
    assert shortlist.coverage([]) == (0.0, 0.0)
