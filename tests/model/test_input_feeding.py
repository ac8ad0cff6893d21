"""The input-feeding wiring follows its equations."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.model.input_feeding import InputFeedingDecoder


@pytest.mark.parametrize("residual", [False, True])
def test_outputs_and_attention_follow_the_equations(make_model, batch, residual: bool) -> None:
    model = make_model(wiring="input_feeding", decoder={"layers": 2, "residual": residual}, attention="dot")
    decoder = model.decoder
    assert isinstance(decoder, InputFeedingDecoder)
    encoded = model.encode(batch.source)
    memory = decoder.attention.prepare(encoded.states, encoded.is_token)
    below_state, above_state = decoder.bridge(encoded.summary)
    feed = torch.zeros(4, 6, dtype=torch.float64)
    decoded = model(batch)
    for position, embedded in enumerate(model.target_embedding(batch.target_inputs).unbind(1)):
        below, below_state = decoder.layers[0].step(torch.cat([embedded, feed], -1), below_state)
        above, above_state = decoder.layers[1].step(below, above_state)
        above = above + below if residual else above
        context, weights, _ = decoder.attention(above[:, None], memory, ())
        feed = torch.tanh(decoder.readout(torch.cat([above, context[:, 0]], -1)))
        torch.testing.assert_close(decoded.outputs[:, position], feed)
        torch.testing.assert_close(decoded.attention[:, position], weights[:, 0])


def test_the_feed_is_the_last_output(make_model, sources) -> None:
    model = make_model(wiring="input_feeding")
    start = model.start(model.encode(sources))
    assert [(part.shape, bool(part.any())) for part in start.feed] == [((3, 6), False)]
    step = model.step(torch.tensor([4, 5, 6]), start)
    torch.testing.assert_close(step.logits, step.state.feed[0] @ model.output_weight.T + model.output_bias)


def test_the_next_step_depends_on_the_feed(make_model, sources) -> None:
    model = make_model(wiring="input_feeding")
    state = model.step(torch.tensor([4, 5, 6]), model.start(model.encode(sources))).state
    previous = torch.tensor([7, 8, 9])
    feed = model.step(previous, state).logits
    without_feed = model.step(previous, state._replace(feed=(torch.zeros_like(state.feed[0]),))).logits
    assert not torch.allclose(feed, without_feed)
