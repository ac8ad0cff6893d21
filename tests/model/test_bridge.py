"""The bridge connects any encoder cell to any decoder cell."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.encoders.encoder import Encoded
from nmt_lstm.model.bridge import Bridge, MeanBridge
from nmt_lstm.registry import CELLS

CELL_NAMES = ["lstm", "gru", "rnn", "leaky_average"]


def test_states_are_slices_of_one_projection() -> None:
    bridge = Bridge(summary_size=6, state_sizes=[{"hidden": 4, "cell": 3}, {"hidden": 5}])
    summary = torch.randn(2, 6)
    (hidden, cell), (above,) = bridge(summary)
    projected = torch.tanh(summary @ bridge.projection.weight.T + bridge.projection.bias)
    assert torch.allclose(torch.cat([hidden, cell, above], 1), projected)
    assert (hidden.shape, cell.shape, above.shape) == ((2, 4), (2, 3), (2, 5))


def test_zero_states_have_no_weights() -> None:
    bridge = Bridge(summary_size=6, state_sizes=[{"hidden": 4, "cell": 3}], learned=False)
    ((hidden, cell),) = bridge(torch.randn(2, 6, dtype=torch.float64))
    assert not hidden.any()
    assert not cell.any()
    assert hidden.dtype == torch.float64
    assert (hidden.shape, cell.shape) == ((2, 4), (2, 3))
    assert not list(bridge.parameters())


@pytest.mark.parametrize("encoder", CELL_NAMES)
@pytest.mark.parametrize("decoder", CELL_NAMES)
@pytest.mark.parametrize("kind", ["learned", "mean", "linear", "zero"])
def test_any_cell_starts_from_any_other(make_model, batch, encoder, decoder, kind) -> None:
    model = make_model(
        encoder={"cell": encoder}, decoder={"cell": decoder, "layers": 2, "bridge": kind}, seed=4
    )
    state = model.start(model.encode(batch.source))
    cell = CELLS.get(decoder)(7, 10)
    for layer in state.cells:
        assert [part.shape for part in layer] == [(4, width) for width in cell.state_sizes.values()]
        assert all(part.any() == (kind != "zero") for part in layer)
    assert torch.isfinite(model.loss(batch).total)


def test_a_cell_builds_its_state_from_the_sizes_it_declared(make_model, sources) -> None:
    model = make_model(cell="leaky_average", decoder={"layers": 2})
    encoded = model.encode(sources)
    below, above = model.decoder.bridge(encoded.summary)
    assert [len(below), len(above)] == [1, 1]
    for (trace,), (average, trace_state) in zip((below, above), model.start(encoded).cells, strict=True):
        assert torch.equal(trace_state, trace)
        assert torch.equal(average, trace[:, :3] / 2)


def test_cells_without_bridged_states_need_no_projection() -> None:
    bridge = Bridge(summary_size=6, state_sizes=[{}, {}])
    assert bridge(torch.randn(2, 6)) == ((), ())
    assert not list(bridge.parameters())


def test_each_state_depends_on_the_source(make_model, sources) -> None:
    model = make_model()
    state = model.start(model.encode(sources))
    for layer in state.cells:
        for part in layer:
            assert not torch.allclose(part[0], part[1])
            assert not torch.allclose(part[1], part[2])


def test_a_linear_bridge_has_no_tanh() -> None:
    bridge = Bridge(summary_size=6, state_sizes=[{"hidden": 4}], bounded=False).double()
    summary = 5 * torch.randn(2, 6, dtype=torch.float64)
    ((hidden,),) = bridge(summary)
    assert torch.allclose(hidden, summary @ bridge.projection.weight.T + bridge.projection.bias)


def test_the_mean_is_that_of_the_pieces() -> None:
    bridge = MeanBridge(summary_size=3, state_sizes=[{"hidden": 4}])
    states = torch.randn(2, 5, 3)
    is_token = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    states[~is_token] = 0.0
    summary = bridge.summary(Encoded(states, is_token, torch.zeros(2, 3)))
    assert torch.allclose(summary, torch.stack([states[0].mean(0), states[1, :2].mean(0)]))
    # Further padding changes no bit.
    longer = Encoded(
        torch.cat([states, torch.zeros(2, 9, 3)], 1), torch.cat([is_token, torch.zeros(2, 9) > 0], 1), summary
    )
    assert torch.equal(bridge.summary(longer), summary)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("directions", ["bidirectional", "unidirectional"])
def test_copied_states_are_those_where_each_direction_ends(make_model, sentences, cell, directions) -> None:
    # The widths of both directions together: leaky_average has one of 3 whatever the hidden size is.
    both = 2 if directions == "bidirectional" and cell != "leaky_average" else 1
    if cell == "leaky_average" and directions == "bidirectional":
        pytest.skip("its narrow state has the same width in any cell, so two do not fit into one")
    model = make_model(
        cell=cell, encoder={"layers": 2, "directions": directions}, seed=3,
        decoder={"layers": 2, "hidden_size": 8 * both, "bridge": "copy"},
    )  # fmt: skip
    drawn = sentences(4)
    together = model.start(model.encode(source_batch(drawn))).cells
    for row, sentence in enumerate(drawn):
        states = model.encoder.embedding(source_batch([sentence]).pieces)
        for number, layer in enumerate(model.encoder.layers):
            cells = list(layer.labelled_cells.values())
            outputs, last = zip(
                *(
                    each(inputs, each.initial_state(1))
                    for each, inputs in zip(cells, (states, states.flip(1)), strict=False)
                ),
                strict=True,
            )
            states = torch.cat([outputs[0], *(output.flip(1) for output in outputs[1:])], -1)
            for part, pieces in enumerate(zip(*last, strict=True)):
                torch.testing.assert_close(together[number][part][row], torch.cat(pieces, -1)[0])
