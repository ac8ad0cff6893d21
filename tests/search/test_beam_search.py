"""Beam search on a table model, compared with an exhaustive search over all strings."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.numerics.row_counts import rounded_rows
from nmt_lstm.search import remaining
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, UNKNOWN

SENTENCES = [[4], [5], [4, 5], [5, 4, 4], [4, 4, 5, 5], [5, 5, 5], [4, 5, 4]]
EVERYTHING = SearchSettings(beam_size=400, max_length_ratio=1e-9)  # strings of up to 11 pieces


def expected_best(model, sentence, count, *, divisor=lambda length: length, beta=0.0, shortest=0):
    key = (*sentence, END)
    strings = model.every_string(key, 8, shortest)
    scored = [
        (value / divisor(len(pieces) + 1) + (beta * model.coverage(key, pieces) if beta else 0.0), pieces)
        for pieces, value in strings.items()
    ]
    return sorted(scored, reverse=True)[:count]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("penalty", "alpha", "divisor"),
    [
        ("none", 1.0, lambda length: 1.0),
        ("average", 1.0, lambda length: length),
        ("average", 0.4, lambda length: length**0.4),
        ("wu", 0.8, lambda length: ((5 + length) / 6) ** 0.8),
    ],
)
def test_a_wide_beam_equals_an_exhaustive_search(table_model, seed, penalty, alpha, divisor) -> None:
    model = table_model(seed=seed, end=4.0)
    settings = EVERYTHING.model_copy(update={"length_penalty": penalty, "alpha": alpha})
    results = beam_search(model, source_batch(SENTENCES[:3]), settings, n_best=4)
    for sentence, hypotheses in zip(SENTENCES, results, strict=False):
        expected = expected_best(model, sentence, 4, divisor=divisor)
        assert [hypothesis.pieces for hypothesis in hypotheses] == [pieces for _, pieces in expected]
        assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx(
            [score for score, _ in expected], abs=1e-6
        )


@pytest.mark.parametrize("seed", range(4))
def test_coverage_follows_the_hypotheses_through_the_beam(table_model, seed) -> None:
    model = table_model(seed=seed, end=4.0)
    settings = EVERYTHING.model_copy(update={"coverage_penalty": 0.7})
    results = beam_search(model, source_batch(SENTENCES[:5]), settings, n_best=3)
    for sentence, hypotheses in zip(SENTENCES, results, strict=False):
        expected = expected_best(model, sentence, 3, beta=0.7)
        assert [hypothesis.pieces for hypothesis in hypotheses] == [pieces for _, pieces in expected]
        assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx(
            [score for score, _ in expected], abs=1e-6
        )


@pytest.mark.parametrize("beam_size", [1, 2, 5])
@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("coverage", [0.0, 0.5])
def test_a_sentence_is_translated_the_same_in_any_batch(table_model, beam_size, levels, coverage) -> None:
    settings = SearchSettings(beam_size=beam_size, coverage_penalty=coverage)
    model = table_model(pieces=9, levels=levels, end=1.0)
    together = beam_search(model, source_batch(SENTENCES), settings, n_best=beam_size)
    for sentence, hypotheses in zip(SENTENCES, together, strict=True):
        alone = beam_search(model, source_batch([sentence]), settings, n_best=beam_size)[0]
        assert alone == hypotheses
        width = len(sentence) + 1
        for single, batched in zip(alone, hypotheses, strict=True):
            assert torch.equal(single.attention, batched.attention[:, :width])


def test_the_log_probability_includes_the_end_even_at_the_length_limit(table_model) -> None:
    model = table_model(end=-6.0)
    settings = SearchSettings(beam_size=3, max_length_ratio=0.1)
    for sentence, hypotheses in zip(
        SENTENCES, beam_search(model, source_batch(SENTENCES), settings, n_best=3), strict=True
    ):
        assert any(len(hypothesis.pieces) == 11 for hypothesis in hypotheses)
        for hypothesis in hypotheses:
            expected = sum(model.piece_log_probabilities((*sentence, END), hypothesis.pieces))
            assert hypothesis.log_probability == pytest.approx(expected, rel=1e-5)
            assert hypothesis.score == pytest.approx(expected / (len(hypothesis.pieces) + 1), rel=1e-5)


def test_lengths_stay_within_their_limits(table_model) -> None:
    settings = SearchSettings(beam_size=4, min_length_ratio=2.0, max_length_ratio=3.0)
    for end in (9.0, -9.0):
        results = beam_search(table_model(end=end), source_batch(SENTENCES), settings, n_best=4)
        for sentence, hypotheses in zip(SENTENCES, results, strict=True):
            assert len(hypotheses) == 4
            for hypothesis in hypotheses:
                assert 2 * len(sentence) <= len(hypothesis.pieces) <= 3 * len(sentence) + 10


def test_a_minimum_length_gives_the_best_of_the_allowed_strings(table_model) -> None:
    model = table_model(end=5.0)
    settings = EVERYTHING.model_copy(update={"min_length_ratio": 1.0, "max_length_ratio": 1.0})
    results = beam_search(model, source_batch([[4, 5, 4]]), settings, n_best=2)[0]
    expected = expected_best(model, [4, 5, 4], 2, shortest=3)
    assert [hypothesis.pieces for hypothesis in results] == [pieces for _, pieces in expected]


def test_special_pieces_are_never_produced(table_model) -> None:
    class LovesSpecialPieces(table_model):
        def logits(self, sentence, prefix):
            logits = super().logits(sentence, prefix)
            logits[[PAD, UNKNOWN, BEGIN]] += 20.0
            return logits

    for beam_size in (1, 4):
        settings = SearchSettings(beam_size=beam_size)
        for hypotheses in beam_search(
            LovesSpecialPieces(), source_batch(SENTENCES), settings, n_best=beam_size
        ):
            assert all(piece > END for hypothesis in hypotheses for piece in hypothesis.pieces)


def test_equal_scores_are_ordered_by_beam_and_piece(table_model) -> None:
    class AllEqual(table_model):
        def logits(self, sentence, prefix):
            return torch.zeros(self.size)

    settings = SearchSettings(beam_size=3, max_length_ratio=1e-9, length_penalty="none")
    results = beam_search(AllEqual(pieces=4), source_batch([[4]]), settings, n_best=3)[0]
    assert [hypothesis.pieces for hypothesis in results] == [(), (4,), (4, 4)]  # (5,) was displaced by (4, 4)


def test_finished_sentences_leave_the_batch(table_model) -> None:
    class EndsByLength(table_model):
        def logits(self, sentence, prefix):
            logits = torch.zeros(self.size)
            logits[END] = 50.0 if len(prefix) >= len(sentence) else -50.0
            return logits

    model = EndsByLength()
    results = beam_search(model, source_batch([[4], [4] * 4, [4] * 4]), SearchSettings(beam_size=2))
    assert [len(hypotheses[0].pieces) for hypotheses in results] == [1, 4, 4]
    assert model.row_counts == [3, 6, 4, 4, 4]


def test_attention_belongs_to_its_hypothesis(table_model) -> None:
    model = table_model(pieces=6)
    for sentence, hypotheses in zip(
        SENTENCES, beam_search(model, source_batch(SENTENCES), SearchSettings(), n_best=2), strict=True
    ):
        for hypothesis in hypotheses:
            string = (BEGIN, *hypothesis.pieces)
            for position in range(len(hypothesis.pieces)):
                expected = model.attention(
                    (*sentence, END), string[: position + 1], hypothesis.attention.shape[1]
                )
                assert torch.equal(hypothesis.attention[position], expected)


def test_attention_can_be_left_out(table_model) -> None:
    results = beam_search(table_model(), source_batch(SENTENCES), SearchSettings(), keep_attention=False)
    assert all(hypotheses[0].attention is None for hypotheses in results)


def test_a_vocabulary_smaller_than_the_beam_is_searched(table_model) -> None:
    settings = SearchSettings(beam_size=8)
    (hypotheses,) = beam_search(table_model(pieces=1, end=1.0), source_batch([[4]]), settings, n_best=8)
    # With a single piece there is one string of each length.
    assert len({hypothesis.pieces for hypothesis in hypotheses}) == 8
    assert all(set(hypothesis.pieces) <= {4} for hypothesis in hypotheses)


@pytest.mark.parametrize("n_best", [0, 6])
def test_n_best_beyond_the_beam_is_rejected(table_model, n_best) -> None:
    with pytest.raises(ConfigurationError, match=r"beam size \(5\)") as error_info:
        beam_search(table_model(), source_batch(SENTENCES), SearchSettings(), n_best=n_best)
    assert (error_info.value.key, error_info.value.value) == ("n_best", n_best)


def test_contradictory_length_limits_are_rejected(table_model) -> None:
    settings = SearchSettings(min_length_ratio=3.0, max_length_ratio=2.0)
    with pytest.raises(ConfigurationError, match=r"\(3.0\) is above .*\(2.0\)") as error_info:
        beam_search(table_model(), source_batch(SENTENCES), settings)
    assert (error_info.value.key, error_info.value.value) == ("search.min_length_ratio", 3.0)


def test_scores_that_are_nan_are_rejected(table_model) -> None:
    class Damaged(table_model):
        def logits(self, sentence, prefix):
            return torch.full((self.size,), math.nan)

    for beam_size in (1, 5):
        with pytest.raises(ModelFolderError, match="NaN"):
            beam_search(Damaged(), source_batch(SENTENCES), SearchSettings(beam_size=beam_size))


def test_rounding_the_number_of_sentences_changes_no_result(table_model, monkeypatch) -> None:
    """The number of rows of each step is rounded; without rounding, finished sentences leave at once."""
    model = table_model(seed=1, end=3.0)
    source = source_batch((SENTENCES * 6)[:40])
    step, row_counts, results = model.step, {}, {}
    for case in ("rounded", "exact"):
        rows = row_counts[case] = []
        monkeypatch.setattr(
            model,
            "step",
            lambda previous, state, rows=rows: rows.append(len(previous)) or step(previous, state),
        )
        results[case] = beam_search(model, source, SearchSettings(beam_size=2))
        monkeypatch.setattr(remaining, "rounded_rows", lambda count, finest: count)
    assert results["rounded"] == results["exact"]
    rounded, exact = ([rows // 2 for rows in row_counts[case][1:]] for case in ("rounded", "exact"))
    assert rounded == [rounded_rows(count, finest=1) for count in exact]
    assert rounded != exact
