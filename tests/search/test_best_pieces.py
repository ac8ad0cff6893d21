"""The best continuations of each sentence equal those that sorting all of them gives."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.search import best_pieces
from nmt_lstm.search.best_pieces import best_continuations, likeliest_pieces
from nmt_lstm.text.special_pieces import END

INFINITE = float("inf")


def in_order(candidate):
    score, beam, piece = candidate
    return -score, beam, piece


def by_sorting(logits, scores, count, must_end, must_not_end):
    """Return (score, beam, piece) of each sentence, best first."""
    sentences, beams = scores.shape
    log_probabilities = logits.view(sentences, beams, -1).double().log_softmax(2).tolist()
    candidates = []
    for row, previous in enumerate(scores.tolist()):
        ends, others = [], []
        for beam, score in enumerate(previous):
            values = log_probabilities[row][beam]
            ends.append((-INFINITE if must_not_end[row] else score + values[END], beam, END))
            for piece in range(END + 1, len(values)):
                others.append((-INFINITE if must_end[row] else score + values[piece], beam, piece))
        others = sorted(others, key=in_order)[:count]
        candidates.append(sorted(ends + others, key=in_order))
    return candidates


def random_logits_and_scores(sentences, beams, size, levels, seed=0):
    generator = torch.Generator().manual_seed(seed + size)
    logits = torch.randn(sentences * beams, size, generator=generator) * 3
    scores = -torch.rand(sentences, beams, generator=generator)
    if levels:
        # A sentence's hypotheses have the same logits, so that ties across them are exact.
        logits = torch.randint(levels, (sentences, 1, size), generator=generator).float()
        logits = logits.expand(sentences, beams, size).reshape(-1, size)
        scores = torch.zeros_like(scores)
    return logits, scores


@pytest.mark.parametrize("size", [5, 9, 21, 300, 4_099])
@pytest.mark.parametrize(("beams", "count"), [(1, 1), (1, 5), (3, 3), (5, 12)])
@pytest.mark.parametrize("levels", [2, 40, 0])
def test_the_best_are_found_and_ties_are_decided_by_beam_and_piece(size, beams, count, levels) -> None:
    sentences = 5
    logits, scores = random_logits_and_scores(sentences, beams, size, levels)
    must_end = torch.tensor([False, True, False, False, False])
    must_not_end = torch.tensor([False, False, True, False, False])
    ranked = best_continuations(logits, scores, count, must_end=must_end, must_not_end=must_not_end)
    expected = by_sorting(logits, scores, count, must_end.tolist(), must_not_end.tolist())
    for row in range(sentences):
        values = [value for value, _, _ in expected[row]]
        assert ranked.scores[row].tolist() == pytest.approx(values, abs=1e-4)
        chosen = list(zip(ranked.beams[row].tolist(), ranked.pieces[row].tolist(), strict=True))
        allowed = [candidate for candidate, value in zip(chosen, values, strict=True) if value > -INFINITE]
        assert allowed == [(beam, piece) for value, beam, piece in expected[row] if value > -INFINITE]


@pytest.mark.parametrize("size", [300, 4_099])
def test_a_sentence_has_the_same_bits_in_any_batch(size) -> None:
    logits, scores = random_logits_and_scores(40, 5, size, 0)
    together = best_continuations(logits, scores, 5)
    for row in range(40):
        alone = best_continuations(logits[row * 5 : row * 5 + 5].clone(), scores[row : row + 1], 5)
        assert all(torch.equal(one, other[row : row + 1]) for one, other in zip(alone, together, strict=True))
    one_row = best_continuations(logits[:1], scores[:1, :1], 3)
    two_rows = best_continuations(logits[:2], scores[:2, :1], 3)
    assert torch.equal(one_row.scores[0], two_rows.scores[0])


def test_the_number_of_logits_read_at_a_time_changes_nothing(monkeypatch) -> None:
    logits, scores = random_logits_and_scores(11, 3, 300, 0)
    expected = best_continuations(logits, scores, 4)
    monkeypatch.setattr(best_pieces, "LOGITS_AT_ONCE", 1_200)
    assert all(
        torch.equal(*pair) for pair in zip(expected, best_continuations(logits, scores, 4), strict=True)
    )


@pytest.mark.parametrize("shift", [-2_000.0, -70.0, 70.0, 2_000.0])
def test_adding_a_number_to_all_logits_changes_nothing(shift) -> None:
    logits, scores = random_logits_and_scores(4, 2, 500, 0)
    shifted = best_continuations(logits + shift, scores, 5)
    expected = best_continuations(logits, scores, 5)
    assert torch.equal(shifted.pieces, expected.pieces)
    assert torch.allclose(shifted.scores, expected.scores, atol=1e-3)


def test_reduced_precision_is_ranked_in_float32() -> None:
    logits, scores = random_logits_and_scores(4, 2, 500, 0)
    reduced = logits.bfloat16()
    ranked = best_continuations(reduced, scores, 5)
    expected = best_continuations(reduced.float(), scores, 5)
    assert ranked.scores.dtype == torch.float32
    assert torch.equal(ranked.pieces, expected.pieces)
    assert torch.allclose(ranked.scores, expected.scores, atol=1e-5)


def test_minus_infinity_is_never_better_than_a_number() -> None:
    logits = torch.full((2, 2_000), -torch.inf)
    logits[:, END] = 0.0
    logits[0, 1_999] = 1.0
    ranked = best_continuations(logits, torch.zeros(2, 1), 3)
    assert ranked.pieces[0, :2].tolist() == [1_999, END]
    assert ranked.pieces[1, 0] == END
    assert (ranked.scores[1, 1:] == -torch.inf).all()


def test_nan_comes_first_so_that_it_is_noticed() -> None:
    logits, scores = random_logits_and_scores(2, 2, 300, 0)
    logits[1, 7] = torch.nan
    ranked = best_continuations(logits, scores, 5)
    assert not ranked.scores[1].isnan().any()
    assert ranked.scores[0, 0].isnan()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [5, 21, 4_099])
@pytest.mark.parametrize("rows", [1, 2, 5, 131])
@pytest.mark.parametrize("levels", [2, 0])
def test_the_likeliest_piece_is_the_best_continuation_to_the_last_bit(rows, size, levels, dtype) -> None:
    logits = random_logits_and_scores(rows, 1, size, levels)[0].to(dtype)
    flags = torch.arange(rows) % 4
    for must_end, must_not_end in ((flags == 1, flags == 2), (None, None)):
        ranked = best_continuations(
            logits, torch.zeros(rows, 1), 1, must_end=must_end, must_not_end=must_not_end
        )
        pieces, gains = likeliest_pieces(logits, must_end=must_end, must_not_end=must_not_end)
        assert pieces.tolist() == ranked.pieces[:, 0].tolist()
        assert torch.equal(gains, ranked.scores[:, 0])


@pytest.mark.parametrize("rows", [1, 6])
def test_log_probabilities_are_not_normalised_again(rows) -> None:
    logits = random_logits_and_scores(rows, 1, 300, 0)[0].log_softmax(1)
    scores = torch.zeros(rows, 1)
    for shift in (0.0, -2.0):
        ranked = best_continuations(logits + shift, scores, 4, normalised=True)
        expected = best_continuations(logits, scores, 4)
        assert ranked.pieces.tolist() == expected.pieces.tolist()
        assert torch.allclose(ranked.scores, expected.scores + shift, atol=1e-5)
        pieces, gains = likeliest_pieces(logits + shift, normalised=True)
        assert torch.equal(gains, ranked.scores[:, 0])
        assert pieces.tolist() == ranked.pieces[:, 0].tolist()
