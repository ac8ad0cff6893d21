"""What all decoder wirings share: training equals search, memories are not copied, states are values, dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from nmt_lstm.batching.batch import collate, source_batch
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.model.decoder import Decoder, DecoderState

wirings = pytest.mark.parametrize("wiring", WIRINGS)
attentions = pytest.mark.parametrize("attention", ["bilinear", "coverage"])


def row_tensors(state: DecoderState) -> list[Tensor]:
    """Return the tensors of a state that have one row per hypothesis."""
    return [*(part for layer in state.cells for part in layer), *state.attention, *state.feed, *state.masks]


@wirings
@attentions
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("residual", [False, True])
def test_whole_targets_equal_steps(make_model, batch, walk, wiring, attention, layers, residual) -> None:
    decoder = {"layers": layers, "residual": residual, "hidden_size": 6}
    model = make_model(wiring=wiring, attention=attention, decoder=decoder)
    decoded = model(batch)
    steps = walk(model, batch)
    logits = decoded.outputs @ model.output_weight.T + model.output_bias
    torch.testing.assert_close(logits, torch.stack([step.logits for step in steps], 1))
    torch.testing.assert_close(decoded.attention, torch.stack([step.attention for step in steps], 1))


@wirings
@pytest.mark.parametrize("layers", [2, 3])
def test_residuals_change_the_upper_layers(make_model, batch, wiring, layers) -> None:
    outputs = [
        make_model(wiring=wiring, decoder={"layers": layers, "residual": residual})(batch).outputs
        for residual in (False, True)
    ]
    assert not torch.allclose(*outputs)


@wirings
def test_a_single_layer_has_no_residual(make_model, batch, wiring) -> None:
    # As wide as the embedding, so that it would fit.
    outputs = [
        make_model(wiring=wiring, decoder={"hidden_size": 6, "residual": residual})(batch).outputs
        for residual in (False, True)
    ]
    assert torch.equal(*outputs)


@wirings
@attentions
def test_an_output_depends_on_earlier_pieces_only(make_model, sentences, wiring, attention) -> None:
    model = make_model(wiring=wiring, attention=attention, decoder={"layers": 2})
    (source,), (target,) = sentences(1, 5, 5), sentences(1, 6, 6, seed=8)
    other = [*target]
    other[2] = 4 if target[2] != 4 else 5
    outputs = model(collate([source, source], [target, other])).outputs
    equal = [torch.allclose(*outputs[:, position]) for position in range(7)]
    # Piece 2 is the input of position 3: BEGIN comes first.
    assert equal == [True, True, True, False, False, False, False]


@wirings
@attentions
def test_attention_is_a_distribution_over_the_tokens(make_model, batch, wiring, attention) -> None:
    weights = make_model(wiring=wiring, attention=attention)(batch).attention
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights.sum(-1)))
    assert not weights.masked_select(~batch.source.is_token[:, None]).any()
    assert weights.masked_select(batch.source.is_token[:, None]).min() > 0


@wirings
def test_the_memory_is_never_copied_per_hypothesis(make_model, sources, wiring) -> None:
    model = make_model(wiring=wiring)
    start = model.start(model.encode(sources))
    rows = torch.arange(3).repeat_interleave(4)
    state = model.reorder(start, rows)
    for _ in range(3):
        state = model.step(torch.randint(4, 23, (12,)), state).state
        state = model.reorder(state, torch.randperm(4).repeat(3) + 4 * rows)
    assert state.memory is start.memory
    assert {len(part) for part in row_tensors(state)} == {12}


@wirings
@attentions
def test_each_hypothesis_of_a_sentence_gets_what_it_gets_alone(
    make_model, sources, wiring, attention
) -> None:
    """Two hypotheses of each of three sentences."""
    model = make_model(wiring=wiring, attention=attention, decoder={"layers": 2})
    pieces = torch.randint(4, 23, (6, 4))
    state = model.reorder(model.start(model.encode(sources)), torch.tensor([0, 0, 1, 1, 2, 2]))
    together = []
    for previous in pieces.unbind(1):
        step = model.step(previous, state)
        together.append(step)
        state = step.state
    for row in range(6):
        sentence = torch.tensor([row // 2])
        state = model.reorder(model.start(model.encode(sources)), sentence, sentence)
        for step, previous in zip(together, pieces[row], strict=True):
            alone = model.step(previous[None], state)
            torch.testing.assert_close(step.logits[row], alone.logits[0])
            torch.testing.assert_close(step.attention[row], alone.attention[0])
            state = alone.state


@wirings
@attentions
def test_reordered_rows_continue_like_unmoved_ones(make_model, sources, wiring, attention) -> None:
    """Two rows change places, one is doubled, and one sentence leaves the batch."""
    model = make_model(wiring=wiring, attention=attention, decoder={"layers": 2})
    state = model.reorder(model.start(model.encode(sources)), torch.tensor([0, 0, 1, 1, 2, 2]))
    state = model.step(torch.tensor([4, 5, 6, 7, 8, 9]), state).state
    rows = torch.tensor([1, 0, 5, 5])
    reordered = model.reorder(state, rows, torch.tensor([0, 2]))
    previous = torch.tensor([10, 11, 12, 13])
    step = model.step(previous, reordered)
    all_rows = torch.tensor([11, 10, 4, 4, 12, 13])
    expected = model.step(all_rows, model.reorder(state, torch.tensor([0, 1, 2, 3, 5, 5])))
    torch.testing.assert_close(step.logits, expected.logits[[1, 0, 4, 5]])
    torch.testing.assert_close(step.attention, expected.attention[[1, 0, 4, 5]])
    assert len(step.state.memory.keys) == 2


@wirings
@attentions
def test_a_step_changes_no_state(make_model, sources, wiring, attention) -> None:
    model = make_model(wiring=wiring, attention=attention)
    state = model.start(model.encode(sources))
    before = [part.clone() for part in row_tensors(state)]
    first = model.step(torch.tensor([4, 5, 6]), state)
    second = model.step(torch.tensor([4, 5, 6]), state)
    assert torch.equal(first.logits, second.logits)
    assert all(map(torch.equal, before, row_tensors(state)))


@wirings
@attentions
def test_variational_masks_are_the_same_at_every_step(make_model, batch, wiring, attention) -> None:
    model = make_model(
        wiring=wiring, attention=attention, dropout=0.5, variational_dropout=True, decoder={"layers": 2}
    ).train()
    torch.manual_seed(0)
    dropped = model(batch).outputs == 0
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert 0.2 < float(dropped.double().mean()) < 0.8
    assert len({tuple(mask.tolist()) for mask in dropped[:, 0]}) == len(dropped)


def dropout_calls(decoder: Decoder, batch_rows: int) -> list[Any]:
    """Return a list that records the layer and width of each call of `decoder.dropped`."""
    calls: list[Any] = []
    original = decoder.dropped

    def recording(rows: Tensor, state: DecoderState, layer: int) -> Tensor:
        assert len(rows) == batch_rows
        calls.append((layer, rows.shape[1]))
        return original(rows, state, layer)

    decoder.dropped = recording  # type: ignore[method-assign]
    return calls


@wirings
def test_each_layer_and_the_output_are_dropped_once_a_step(make_model, sources, wiring) -> None:
    model = make_model(wiring=wiring, dropout=0.5, variational_dropout=True, decoder={"layers": 3}).train()
    calls = dropout_calls(model.decoder, 3)
    model.step(torch.tensor([4, 5, 6]), model.start(model.encode(sources)))
    assert calls == [(0, 10), (1, 10), (2, 10), (-1, 6)]


@wirings
@pytest.mark.parametrize("variational", [False, True])
def test_evaluation_uses_no_masks(make_model, sources, wiring, variational) -> None:
    model = make_model(wiring=wiring, dropout=0.5, variational_dropout=variational)
    assert model.start(model.encode(sources)).masks == ()


@wirings
def test_other_masks_differ_from_step_to_step(make_model, batch, wiring) -> None:
    model = make_model(wiring=wiring, dropout=0.5).train()
    torch.manual_seed(0)
    dropped = (model(batch).outputs == 0).flatten(0, 1)
    assert len({tuple(mask.tolist()) for mask in dropped}) > len(dropped) // 2


def test_a_recurrent_attention_makes_gnmt_step_through_time(make_model, batch) -> None:
    calls = {}
    for attention in ("bilinear", "coverage"):
        model = make_model(attention=attention)
        shapes: list[tuple[int, ...]] = []
        model.decoder.attention.register_forward_pre_hook(
            lambda _, arguments, shapes=shapes: shapes.append(tuple(arguments[0].shape[:2]))
        )
        model(batch)
        calls[attention] = shapes
    assert calls == {"bilinear": [(4, 6)], "coverage": [(4, 1)] * 6}


def test_a_recurrent_attention_keeps_its_state_between_steps(make_model, sources) -> None:
    model = make_model(attention="coverage")
    state = model.start(model.encode(sources))
    total = torch.zeros(3, 7, dtype=torch.float64)
    for _ in range(4):
        step = model.step(torch.tensor([4, 5, 6]), state)
        total += step.attention
        state = step.state
        torch.testing.assert_close(state.attention[0], total)


def test_an_error_names_a_wiring_without_a_step(make_model, sources) -> None:
    class Unfinished(Decoder):
        pass

    model = make_model()
    decoder = model.decoder
    unfinished = Unfinished(
        cells=decoder.layers,
        make_cell=lambda input_size: pytest.fail("this wiring has no further cells"),
        attention=decoder.attention,
        bridge=decoder.bridge,
        output_size=decoder.output_size,
        dropout=decoder.dropout,
    )
    encoded = model.encode(source_batch([[5]]))
    with pytest.raises(TypeError, match="Unfinished does not define"):
        unfinished(encoded, torch.zeros(1, 2, 6, dtype=torch.float64))
