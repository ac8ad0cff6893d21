"""The GNMT wiring follows its equations, without a loop in Python."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.model.gnmt import GnmtDecoder


@pytest.mark.parametrize("residual", [False, True])
def test_outputs_and_attention_follow_the_equations(make_model, batch, residual: bool) -> None:
    model = make_model(decoder={"layers": 3, "residual": residual}, attention="dot")
    decoder = model.decoder
    assert isinstance(decoder, GnmtDecoder)
    encoded = model.encode(batch.source)
    states = decoder.bridge(encoded.summary)
    queries, _ = decoder.layers[0](model.target_embedding(batch.target_inputs), states[0])
    context, weights, _ = decoder.attention(
        queries, decoder.attention.prepare(encoded.states, encoded.is_token), ()
    )
    second, _ = decoder.layers[1](torch.cat([queries, context], -1), states[1])
    second = second + queries if residual else second
    third, _ = decoder.layers[2](torch.cat([second, context], -1), states[2])
    third = third + second if residual else third
    decoded = model(batch)
    torch.testing.assert_close(decoded.outputs, torch.tanh(decoder.readout(torch.cat([third, context], -1))))
    torch.testing.assert_close(decoded.attention, weights)


def test_each_layer_is_one_call_over_the_whole_target(make_model, batch, monkeypatch) -> None:
    model = make_model(decoder={"layers": 3})
    calls: list[tuple[int, ...]] = []
    for cell in model.decoder.layers:
        cell.register_forward_pre_hook(lambda _, arguments: calls.append(tuple(arguments[0].shape[:2])))
        monkeypatch.setattr(cell, "step", None)
    model(batch)
    assert calls == [(4, 6)] * 3


def test_dropout_is_between_layers_and_on_the_output(make_model, batch, walk, halving) -> None:
    model = make_model(decoder={"layers": 2}, attention="dot")
    encoded = model.encode(batch.source)
    decoder = model.decoder
    decoder.dropout = halving
    states = decoder.bridge(encoded.summary)
    queries, _ = decoder.layers[0](model.target_embedding(batch.target_inputs), states[0])
    context, _, _ = decoder.attention(
        queries, decoder.attention.prepare(encoded.states, encoded.is_token), ()
    )
    above, _ = decoder.layers[1](torch.cat([queries / 2, context], -1), states[1])
    expected = torch.tanh(decoder.readout(torch.cat([above / 2, context], -1))) / 2
    torch.testing.assert_close(model(batch).outputs, expected)
    logits = torch.stack([step.logits for step in walk(model, batch)], 1)
    torch.testing.assert_close(logits, expected @ model.output_weight.T + model.output_bias)
