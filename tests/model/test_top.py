"""The wiring whose top layer queries attention follows its equations, without a loop in Python."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.model.top import TopDecoder


@pytest.mark.parametrize("cell", ["lstm", "gru", "leaky_average"])
@pytest.mark.parametrize("residual", [False, True])
def test_outputs_and_attention_follow_the_equations(make_model, batch, cell: str, residual: bool) -> None:
    model = make_model(
        cell=cell, wiring="top", decoder={"layers": 2, "residual": residual}, attention="additive"
    )
    decoder = model.decoder
    assert isinstance(decoder, TopDecoder)
    encoded = model.encode(batch.source)
    memory = decoder.attention.prepare(encoded.states, encoded.is_token)
    lower, upper = model.start(encoded).cells
    decoded = model(batch)
    for position, embedded in enumerate(model.target_embedding(batch.target_inputs).unbind(1)):
        below, lower = decoder.layers[0].step(embedded, lower)
        above, upper = decoder.layers[1].step(below, upper)
        above = above + below if residual else above
        context, weights, _ = decoder.attention(above[:, None], memory, ())
        output = torch.tanh(decoder.readout(torch.cat([above, context[:, 0]], -1)))
        torch.testing.assert_close(decoded.outputs[:, position], output)
        torch.testing.assert_close(decoded.attention[:, position], weights[:, 0])


def test_dropout_is_applied_between_layers_and_to_the_output(make_model, batch, halving, walk) -> None:
    model = make_model(wiring="top", decoder={"layers": 2})
    before = model(batch).outputs
    model.decoder.dropout = halving
    halved = model(batch).outputs
    assert not torch.allclose(halved, before / 2)
    steps = torch.stack([model.decoder.step(*each)[0] for each in _inputs(model, batch)], 1)
    torch.testing.assert_close(halved, steps)


def _inputs(model, batch):
    state = model.start(model.encode(batch.source))
    for embedded in model.target_embedding(batch.target_inputs).unbind(1):
        yield embedded, state
        _, _, state = model.decoder.step(embedded, state)
