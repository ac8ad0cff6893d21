"""Diverse beam search on models that are tables, compared with the paper's algorithm written plainly."""

from __future__ import annotations

import itertools

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.constraints import BatchConstraints, PieceConstraints
from nmt_lstm.search.diversity import best_of_groups
from nmt_lstm.search.hypotheses import Finished
from nmt_lstm.text.special_pieces import BEGIN, END

SENTENCES = [[4], [5], [4, 5], [5, 4, 4], [4, 4, 5, 5], [5, 5, 5], [4, 5, 4], [6, 4]]


def plain_algorithm(model, sentence, groups, width, diversity):
    """Return the finished hypotheses of each group, as (mean log-probability, pieces), best first."""
    key, limit = (*sentence, END), 2 * len(sentence) + 10
    beams = [[(0.0, ())] for _ in range(groups)]
    finished: list[list[tuple[float, tuple[int, ...]]]] = [[] for _ in range(groups)]
    for length in range(limit + 1):
        written: list[int] = []
        for group in range(groups):
            if len(finished[group]) >= width:
                continue
            extensions = []
            for beam, (total, pieces) in enumerate(beams[group]):
                values = model.logits(key, (BEGIN, *pieces)).log_softmax(0)
                for piece in range(END, model.size) if length < limit else [END]:
                    score = total + float(values[piece])
                    extensions.append((score - diversity * written.count(piece), -beam, -piece, score))
            extensions.sort(reverse=True)
            for _, beam, piece, score in extensions[:width]:
                if piece == -END:
                    finished[group].append((score / (length + 1), beams[group][-beam][1]))
            others = [each for each in extensions if each[2] != -END][:width]
            beams[group] = [(score, (*beams[group][-beam][1], -piece)) for _, beam, piece, score in others]
            if len(finished[group]) < width:
                written += [-piece for _, _, piece, _ in others]
    return [sorted(each, key=lambda value: -value[0]) for each in finished]


def settings(groups, width, **values):
    return SearchSettings(beam_size=groups * width, beam_groups=groups, **values)


@pytest.mark.parametrize(
    ("groups", "width", "diversity", "seed"),
    [(2, 1, 0.5, 0), (3, 2, 1.5, 1), (4, 1, 20.0, 2), (2, 3, 0.2, 3)],
)
def test_groups_are_searched_as_the_paper_says(table_model, groups, width, diversity, seed) -> None:
    model = table_model(pieces=7, seed=seed, end=0.5)
    search = settings(groups, width, diversity=diversity)
    results = beam_search(model, source_batch(SENTENCES), search, n_best=groups * width)
    for sentence, hypotheses in zip(SENTENCES, results, strict=True):
        expected = plain_algorithm(model, sentence, groups, width, diversity)
        first, second = (
            [(hypothesis.score, hypothesis.pieces) for hypothesis in hypotheses[begin:end]]
            for begin, end in ((0, groups), (groups, 2 * groups))
        )
        for place, found in enumerate((first, second)):
            if place < width:
                best = sorted((each[place] for each in expected), key=lambda value: -value[0])
                assert [pieces for _, pieces in found] == [pieces for _, pieces in best]
                assert [score for score, _ in found] == pytest.approx([score for score, _ in best], abs=1e-5)
        for hypothesis in hypotheses:
            log_probability = sum(model.piece_log_probabilities((*sentence, END), hypothesis.pieces))
            assert hypothesis.log_probability == pytest.approx(log_probability, abs=1e-4)


@pytest.mark.parametrize("coverage", [0.0, 0.5])
@pytest.mark.parametrize("levels", [0, 3])
def test_a_sentence_has_the_same_hypotheses_in_any_batch_and_number(table_model, levels, coverage) -> None:
    model = table_model(pieces=9, levels=levels, end=1.0)
    search = settings(3, 2, coverage_penalty=coverage)
    together = beam_search(model, source_batch(SENTENCES), search, n_best=6)
    for sentence, hypotheses in zip(SENTENCES, together, strict=True):
        for n_best in (1, 3, 6):
            (alone,) = beam_search(model, source_batch([sentence]), search, n_best=n_best)
            assert alone == hypotheses[:n_best]
            for single, batched in zip(alone, hypotheses, strict=False):
                assert torch.equal(single.attention, batched.attention[:, : len(sentence) + 1])


def test_the_first_group_is_plain_beam_search_and_without_cost_all_are(table_model) -> None:
    model = table_model(pieces=9, end=1.0)
    source = source_batch(SENTENCES)
    plain = beam_search(model, source, SearchSettings(beam_size=2), n_best=2)
    equal = beam_search(model, source, settings(3, 2, diversity=0.0), n_best=6)
    diverse = beam_search(model, source, settings(3, 2, diversity=2.0), n_best=6)
    for best, copies, others in zip(plain, equal, diverse, strict=True):
        assert copies == [best[0]] * 3 + [best[1]] * 3
        assert best[0] in others[:3]
        assert len({each.pieces for each in others}) > len({each.pieces for each in best})


def test_groups_meet_constraints(table_model) -> None:
    model = table_model(pieces=5, seed=3, end=0.5)
    vocabulary = PieceTexts(["", "", "", "", " a", " b", "a", "b", "."])
    lines = [
        PieceConstraints(prefix=(6, 7)),
        PieceConstraints(required=((4, 8), (5,))),
        PieceConstraints(),
        PieceConstraints(avoided=("b",)),
    ]
    together = beam_search(
        model,
        source_batch(SENTENCES[:4]),
        settings(2, 3, max_length_ratio=0.1),
        n_best=6,
        constraints=BatchConstraints(lines, vocabulary),
    )
    for sentence, line, hypotheses in zip(SENTENCES, lines, together, strict=False):
        (alone,) = beam_search(
            model,
            source_batch([sentence]),
            settings(2, 3, max_length_ratio=0.1),
            n_best=6,
            constraints=BatchConstraints([line], vocabulary),
        )
        assert alone == hypotheses
    prefixed, required, _, avoiding = together
    assert all(each.pieces[:2] == (6, 7) for each in prefixed)
    for hypothesis in required:
        assert 5 in hypothesis.pieces
        assert (4, 8) in itertools.pairwise(hypothesis.pieces)
    assert not any(vocabulary.text_of(each.pieces).split()[:1] == ["b"] for each in avoiding)


def test_the_best_of_each_group_come_first() -> None:
    groups = {
        4: [Finished(-2.0, -2.0, 1, 0), Finished(-3.0, -3.0, 1, 0)],
        5: [Finished(-1.0, -1.0, 1, 0), Finished(-1.5, -1.5, 1, 0)],
        6: [Finished(-5.0, -5.0, 1, 0)],
    }
    assert [(group, end.score) for group, end in best_of_groups(groups, 4)] == [
        (5, -1.0),
        (4, -2.0),
        (6, -5.0),
        (5, -1.5),
    ]
