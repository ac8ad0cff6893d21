"""What all decoder wirings share: teacher forcing, memories that are never copied, states that are values, dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from nmt_lstm.batching.batch import collate, source_batch
from nmt_lstm.model.decoder import Decoder, DecoderState

WIRINGS = ("gnmt", "input_feeding", "conditional")
wirings = pytest.mark.parametrize("wiring", WIRINGS)
attentions = pytest.mark.parametrize("attention", ["bilinear", "coverage"])


def tensors(state: DecoderState) -> list[Tensor]:
    """All of a state that has one row per hypothesis."""
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
    found = [
        make_model(wiring=wiring, decoder={"layers": layers, "residual": residual})(batch).outputs
        for residual in (False, True)
    ]
    assert not torch.allclose(*found)


@wirings
def test_a_single_layer_has_no_residual(make_model, batch, wiring) -> None:
    # As wide as the embedding, so that it would fit.
    found = [
        make_model(wiring=wiring, decoder={"hidden_size": 6, "residual": residual})(batch).outputs
        for residual in (False, True)
    ]
    assert torch.equal(*found)


@wirings
@attentions
def test_an_output_depends_on_what_is_before_it_only(make_model, sentences, wiring, attention) -> None:
    model = make_model(wiring=wiring, attention=attention, decoder={"layers": 2})
    (source,), (target,) = sentences(1, 5, 5), sentences(1, 6, 6, seed=8)
    other = [*target]
    other[2] = 4 if target[2] != 4 else 5
    outputs = model(collate([source, source], [target, other])).outputs
    equal = [torch.allclose(*outputs[:, place]) for place in range(7)]
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
def test_memory_is_never_copied_per_beam(make_model, sources, wiring) -> None:
    model = make_model(wiring=wiring)
    start = model.start(model.encode(sources))
    rows = torch.arange(3).repeat_interleave(4)
    state = model.reorder(start, rows)
    for _ in range(3):
        state = model.step(torch.randint(4, 23, (12,)), state).state
        state = model.reorder(state, torch.randperm(4).repeat(3) + 4 * rows)
    assert state.memory is start.memory
    assert {len(part) for part in tensors(state)} == {12}


@wirings
@attentions
def test_beams_of_a_sentence_are_rows_of_their_own(make_model, sources, wiring, attention) -> None:
    """Each of 2 hypotheses of 3 sentences gets what it gets alone."""
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
def test_reordered_rows_go_on_as_themselves(make_model, sources, wiring, attention) -> None:
    """Rows change places, some double, one sentence leaves: all as if nothing had happened."""
    model = make_model(wiring=wiring, attention=attention, decoder={"layers": 2})
    state = model.reorder(model.start(model.encode(sources)), torch.tensor([0, 0, 1, 1, 2, 2]))
    state = model.step(torch.tensor([4, 5, 6, 7, 8, 9]), state).state
    rows = torch.tensor([1, 0, 5, 5])
    kept = model.reorder(state, rows, torch.tensor([0, 2]))
    previous = torch.tensor([10, 11, 12, 13])
    found = model.step(previous, kept)
    whole = torch.tensor([11, 10, 4, 4, 12, 13])
    expected = model.step(whole, model.reorder(state, torch.tensor([0, 1, 2, 3, 5, 5])))
    torch.testing.assert_close(found.logits, expected.logits[[1, 0, 4, 5]])
    torch.testing.assert_close(found.attention, expected.attention[[1, 0, 4, 5]])
    assert len(found.state.memory.keys) == 2


@wirings
@attentions
def test_a_step_changes_no_state(make_model, sources, wiring, attention) -> None:
    model = make_model(wiring=wiring, attention=attention)
    state = model.start(model.encode(sources))
    before = [part.clone() for part in tensors(state)]
    first = model.step(torch.tensor([4, 5, 6]), state)
    second = model.step(torch.tensor([4, 5, 6]), state)
    assert torch.equal(first.logits, second.logits)
    assert all(map(torch.equal, before, tensors(state)))


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


def places_dropped(decoder: Decoder, batch_rows: int) -> list[Any]:
    """Wrap the decoder's mask-or-dropout so that it notes what it is asked for."""
    asked: list[Any] = []
    original = decoder.dropped

    def noting(rows: Tensor, state: DecoderState, place: int) -> Tensor:
        assert len(rows) == batch_rows
        asked.append((place, rows.shape[1]))
        return original(rows, state, place)

    decoder.dropped = noting  # type: ignore[method-assign]
    return asked


@wirings
def test_each_layer_and_the_output_are_dropped_once_a_step(make_model, sources, wiring) -> None:
    model = make_model(wiring=wiring, dropout=0.5, variational_dropout=True, decoder={"layers": 3}).train()
    asked = places_dropped(model.decoder, 3)
    model.step(torch.tensor([4, 5, 6]), model.start(model.encode(sources)))
    assert asked == [(0, 10), (1, 10), (2, 10), (-1, 6)]


@wirings
@pytest.mark.parametrize("variational", [False, True])
def test_no_masks_in_evaluation(make_model, sources, wiring, variational) -> None:
    model = make_model(wiring=wiring, dropout=0.5, variational_dropout=variational)
    assert model.start(model.encode(sources)).masks == ()


@wirings
def test_masks_differ_from_step_to_step_unless_variational(make_model, batch, wiring) -> None:
    model = make_model(wiring=wiring, dropout=0.5).train()
    torch.manual_seed(0)
    dropped = (model(batch).outputs == 0).flatten(0, 1)
    assert len({tuple(mask.tolist()) for mask in dropped}) > len(dropped) // 2


def test_an_attention_that_remembers_makes_gnmt_step(make_model, batch) -> None:
    asked = {}
    for attention in ("bilinear", "coverage"):
        model = make_model(attention=attention)
        shapes: list[tuple[int, ...]] = []
        model.decoder.attention.register_forward_pre_hook(
            lambda _, given, shapes=shapes: shapes.append(tuple(given[0].shape[:2]))
        )
        model(batch)
        asked[attention] = shapes
    assert asked == {"bilinear": [(4, 6)], "coverage": [(4, 1)] * 6}


def test_what_was_looked_at_is_remembered(make_model, sources) -> None:
    model = make_model(attention="coverage")
    state = model.start(model.encode(sources))
    total = torch.zeros(3, 7, dtype=torch.float64)
    for _ in range(4):
        step = model.step(torch.tensor([4, 5, 6]), state)
        total += step.attention
        state = step.state
        torch.testing.assert_close(state.attention[0], total)


def test_a_wiring_without_a_step_says_so(make_model, sources) -> None:
    class Unfinished(Decoder):
        pass

    model = make_model()
    unfinished = Unfinished(
        cells=model.decoder.layers,
        attention=model.decoder.attention,
        bridge=model.decoder.bridge,
        readout=model.decoder.readout,
        dropout=model.decoder.dropout,
    )
    encoded = model.encode(source_batch([[5]]))
    with pytest.raises(TypeError, match="Unfinished does not define step"):
        unfinished(encoded, torch.zeros(1, 2, 6, dtype=torch.float64))
