"""The conditional wiring follows its equations."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.model.conditional import ConditionalDecoder


@pytest.mark.parametrize("cell", ["lstm", "gru", "leaky_average"])
@pytest.mark.parametrize("residual", [False, True])
def test_outputs_and_attention_follow_the_equations(make_model, batch, cell: str, residual: bool) -> None:
    model = make_model(
        cell=cell, wiring="conditional", decoder={"layers": 2, "residual": residual}, attention="dot"
    )
    decoder = model.decoder
    assert isinstance(decoder, ConditionalDecoder)
    encoded = model.encode(batch.source)
    memory = decoder.attention.prepare(encoded.states, encoded.is_token)
    lower, upper = model.start(encoded).cells
    decoded = model(batch)
    for position, embedded in enumerate(model.target_embedding(batch.target_inputs).unbind(1)):
        query, first_state = decoder.layers[0].step(embedded, lower)
        context, weights, _ = decoder.attention(query[:, None], memory, ())
        below, lower = decoder.second.step(context[:, 0], first_state)
        above, upper = decoder.layers[1].step(torch.cat([below, context[:, 0]], -1), upper)
        above = above + below if residual else above
        output = torch.tanh(decoder.readout(torch.cat([above, context[:, 0], embedded], -1)))
        torch.testing.assert_close(decoded.outputs[:, position], output)
        torch.testing.assert_close(decoded.attention[:, position], weights[:, 0])


def test_the_two_transitions_have_separate_weights(make_model) -> None:
    decoder = make_model(wiring="conditional").decoder
    first, second = decoder.layers[0], decoder.second
    assert not {id(parameter) for parameter in first.parameters()} & set(map(id, second.parameters()))
    assert (first.input_size, second.input_size) == (6, 16)
    assert not torch.equal(first.weight_hh, second.weight_hh)
