"""The tree of a beam search."""

from __future__ import annotations

import pytest

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.lab.inspection.beam_tree import search_tree
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.text.special_pieces import END

SOURCE = [5, 6, 7]


def path(tree, at: int) -> list[int]:
    pieces = []
    while at > 0:
        pieces.insert(0, tree.nodes[at].piece)
        at = tree.nodes[at].parent
    return pieces


@pytest.mark.parametrize("beam_size", [1, 4])
def test_every_finished_translation_is_a_path(make_inspector, beam_size) -> None:
    model = make_inspector().model
    settings = SearchSettings(beam_size=beam_size)
    tree = search_tree(model, source_batch([SOURCE]), settings)
    (expected,) = beam_search(model, source_batch([SOURCE]), settings, n_best=beam_size)
    assert [each.pieces for each in tree.hypotheses] == [each.pieces for each in expected]
    for rank, hypothesis in enumerate(tree.hypotheses, start=1):
        (end,) = [at for at, node in enumerate(tree.nodes) if node.rank == rank]
        assert path(tree, end) == [*hypothesis.pieces, END]
        assert tree.nodes[end].fate == "finished"
        assert tree.nodes[end].total == pytest.approx(hypothesis.log_probability, abs=1e-3)


def test_totals_add_up_and_no_more_are_kept_than_the_beam_is_wide(make_inspector) -> None:
    tree = search_tree(make_inspector().model, source_batch([SOURCE]), SearchSettings(beam_size=3))
    for node in tree.nodes[1:]:
        assert node.total == pytest.approx(tree.nodes[node.parent].total + node.log_probability, abs=1e-4)
        assert node.depth == tree.nodes[node.parent].depth + 1
    depths = [node.depth for node in tree.nodes if node.fate == "kept"]
    assert max(depths.count(depth) for depth in set(depths)) <= 3
    assert any(node.fate == "pruned" for node in tree.nodes)


def test_every_translation_begins_with_the_prefix(make_inspector) -> None:
    tree = search_tree(
        make_inspector().model, source_batch([SOURCE]), SearchSettings(beam_size=3), prefix=[40, 41]
    )
    assert tree.hypotheses
    assert all(each.pieces[:2] == (40, 41) for each in tree.hypotheses)
