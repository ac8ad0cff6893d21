"""The bridge connects any encoder cell to any decoder cell."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.model.bridge import Bridge
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
@pytest.mark.parametrize("kind", ["learned", "zero"])
def test_any_cell_starts_from_any_other(make_model, batch, encoder, decoder, kind) -> None:
    model = make_model(
        encoder={"cell": encoder}, decoder={"cell": decoder, "layers": 2, "bridge": kind}, seed=4
    )
    state = model.start(model.encode(batch.source))
    cell = CELLS.get(decoder)(7, 10)
    for layer in state.cells:
        assert [part.shape for part in layer] == [(4, width) for width in cell.state_sizes.values()]
        assert all(part.any() == (kind == "learned") for part in layer)
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
