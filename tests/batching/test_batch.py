"""Batches equal a reference written with loops: padding, masks, positions and counts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.batching.batch import Batch, collate, padded, source_batch
from nmt_lstm.text.special_pieces import BEGIN, END, PAD

sentence = st.lists(st.integers(4, 70_000), max_size=7)
pairs = st.lists(st.tuples(sentence, sentence), min_size=1, max_size=6)


def reference(sources: list[list[int]], targets: list[list[int]]) -> dict[str, list]:
    """Return the fields of a batch, computed element by element."""
    width = max(len(source) for source in sources) + 1
    height = max(len(target) for target in targets) + 1
    fields: dict[str, list] = {name: [] for name in ("pieces", "is_token", "inputs", "outputs", "positions")}
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        with_end = [*source, END]
        fields["pieces"].append(with_end + [PAD] * (width - len(with_end)))
        fields["is_token"].append([True] * len(with_end) + [False] * (width - len(with_end)))
        fields["inputs"].append(([BEGIN, *target] + [PAD] * height)[:height])
        fields["outputs"].append(([*target, END] + [PAD] * height)[:height])
        fields["positions"] += [row * height + column for column in range(len(target) + 1)]
    return fields


@settings(max_examples=150, deadline=None)
@given(pairs)
def test_a_batch_equals_the_reference(pairs) -> None:
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    expected, batch = reference(sources, targets), collate(sources, targets)
    assert batch.source.pieces.tolist() == expected["pieces"]
    assert batch.source.is_token.tolist() == expected["is_token"]
    assert batch.source.lengths.tolist() == [len(source) + 1 for source in sources]
    assert batch.target_inputs.tolist() == expected["inputs"]
    assert batch.target_outputs.tolist() == expected["outputs"]
    assert batch.target_positions.tolist() == expected["positions"]
    assert batch.target_lengths.tolist() == [len(target) + 1 for target in targets]
    assert batch.indices.tolist() == list(range(len(pairs)))
    assert batch.target_pieces == batch.loss_divisor == len(expected["positions"])
    assert batch.source_pieces == sum(len(source) + 1 for source in sources)


@settings(max_examples=50, deadline=None)
@given(pairs)
def test_positions_select_the_labels_in_reading_order(pairs) -> None:
    batch = collate([source for source, _ in pairs], [target for _, target in pairs])
    labels = batch.target_outputs.flatten()[batch.target_positions].tolist()
    assert labels == [piece for _, target in pairs for piece in (*target, END)]


def test_tensors_have_the_dtypes_that_the_network_needs() -> None:
    batch = collate([[5]], [[6, 7]])
    for tensor in (batch.source.pieces, batch.source.lengths, batch.target_inputs, batch.target_outputs):
        assert tensor.dtype == torch.int64
    for tensor in (batch.target_lengths, batch.target_positions, batch.indices):
        assert tensor.dtype == torch.int64
    assert batch.source.is_token.dtype == torch.bool


def test_pieces_from_a_store_make_the_same_batch() -> None:
    sources, targets = [[5, 6], [], [300, 301, 302]], [[7], [8, 9], []]
    from_store = (
        [np.array(pieces, np.uint16) for pieces in sources],
        [np.array(pieces, np.uint16) for pieces in targets],
    )
    plain, mapped = collate(sources, targets), collate(*from_store)
    for field in ("target_inputs", "target_outputs", "target_positions", "target_lengths"):
        assert torch.equal(getattr(plain, field), getattr(mapped, field))
    assert torch.equal(plain.source.pieces, mapped.source.pieces)


def test_indices_and_divisor_can_be_passed() -> None:
    batch = collate([[5], [6]], [[7], [8]], indices=np.array([40, 2]), loss_divisor=12.5)
    assert batch.indices.tolist() == [40, 2]
    assert batch.loss_divisor == 12.5
    assert batch.target_pieces == 4


def test_a_masked_batch_has_inputs_but_no_labels() -> None:
    batch = collate([[5, 6]], [[7]], masked=True)
    assert batch.target_pieces == 0
    assert batch.target_positions.tolist() == []
    assert batch.target_lengths.tolist() == [0]
    assert batch.loss_divisor == 1.0
    assert batch.target_inputs.tolist() == [[BEGIN, 7]]
    assert batch.source.is_token.all()


def test_different_numbers_of_sources_and_targets_are_rejected() -> None:
    with pytest.raises(ValueError, match="got 1 and 2"):
        collate([[5], [6]], [[7]])
    with pytest.raises(ValueError, match="at least one"):
        collate([], [])
    with pytest.raises(ValueError, match="at least one"):
        source_batch([])


@pytest.mark.parametrize(("pad_to", "width"), [(None, 3), (0, 3), (3, 3), (9, 9)])
def test_source_sentences_can_be_padded_to_a_minimum_width(pad_to, width) -> None:
    batch = source_batch([[5, 6], []], pad_to)
    assert batch.pieces.shape == batch.is_token.shape == (2, width)
    assert batch.pieces[:, :3].tolist() == [[5, 6, END], [END, PAD, PAD]]
    assert batch.is_token.sum(dim=1).tolist() == batch.lengths.tolist() == [3, 1]


def test_pieces_can_be_added_before_and_after_each_sentence() -> None:
    array, lengths = padded([[1, 2, 3], [4], []])
    assert array.tolist() == [[1, 2, 3], [4, PAD, PAD], [PAD] * 3]
    assert lengths.tolist() == [3, 1, 0]
    array, lengths = padded([[1], []], before=8, after=9)
    assert array.tolist() == [[8, 1, 9], [8, 9, PAD]]
    assert lengths.tolist() == [3, 2]
    assert padded([])[0].shape == (0, 0)


def test_all_tensors_of_a_batch_move_to_a_device() -> None:
    batch = collate([[5]], [[6]], indices=[9], loss_divisor=3.0)
    moved = batch.to("meta")
    for field in dataclasses.fields(Batch):
        before, after = getattr(batch, field.name), getattr(moved, field.name)
        if isinstance(before, torch.Tensor):
            assert after.device.type == "meta"
            assert before.device.type == "cpu"
        elif field.name != "source":
            assert after == before
    for field in dataclasses.fields(moved.source):
        assert getattr(moved.source, field.name).device.type == "meta"


def test_all_tensors_of_a_batch_are_pinned(monkeypatch) -> None:
    pinned: list[torch.Tensor] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor) or tensor)
    batch = collate([[5]], [[6]])
    assert batch.pin_memory().target_inputs is batch.target_inputs
    tensors = [getattr(batch, field.name) for field in dataclasses.fields(Batch)]
    tensors += [getattr(batch.source, field.name) for field in dataclasses.fields(batch.source)]
    expected = [id(tensor) for tensor in tensors if isinstance(tensor, torch.Tensor)]
    assert sorted(map(id, pinned)) == sorted(expected)
