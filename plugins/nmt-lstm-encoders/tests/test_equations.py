"""Both encoders follow their papers' equations, computed here for one sentence at a time, or by PyTorch's own modules."""

from __future__ import annotations

import math

import pytest
import torch
from nmt_lstm_encoders import ConvolutionalEncoder, SelfAttentionEncoder, sinusoids
from torch import nn

from nmt_lstm import ENCODERS, PluginError
from nmt_lstm.testing import EncoderSubject

LENGTHS = (6, 4, 1)


def inputs(width: int):
    return EncoderSubject(SelfAttentionEncoder, {}, width).source(LENGTHS, torch.float64)


def perturbed(encoder):
    torch.manual_seed(1)
    encoder = encoder.double().eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return encoder


def test_sinusoids_are_those_of_the_paper() -> None:
    vectors = sinusoids(torch.arange(5), 6)
    for position in range(5):
        for step, wavelength in enumerate((1.0, 100.0, 10_000.0)):
            angle = position / wavelength
            assert vectors[position, step].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert vectors[position, 3 + step].item() == pytest.approx(math.cos(angle), abs=1e-12)
    assert sinusoids(torch.arange(2), 1).shape == (2, 1)
    assert torch.equal(sinusoids(torch.arange(5_000), 7)[:9], sinusoids(torch.arange(9), 7))


def test_self_attention_equals_pytorchs_encoder() -> None:
    """Vaswani et al. 2017, normalization first."""
    encoder = perturbed(SelfAttentionEncoder(8, layers=2, heads=2, feed_forward_size=12))
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=True)
    reference = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8), enable_nested_tensor=False).double().eval()
    for number, target in enumerate(reference.layers):
        attention, feed_forward = encoder.parts[2 * number], encoder.parts[2 * number + 1]
        pairs = (
            (target.self_attn.in_proj_weight, attention.projection.weight),
            (target.self_attn.in_proj_bias, attention.projection.bias),
            (target.self_attn.out_proj, attention.output),
            (target.linear1, feed_forward.inner),
            (target.linear2, feed_forward.outer),
            (target.norm1, encoder.norms[2 * number]),
            (target.norm2, encoder.norms[2 * number + 1]),
        )
        with torch.no_grad():
            for to, source in pairs:
                if isinstance(to, nn.Module):
                    to.load_state_dict(source.state_dict())
                else:
                    to.copy_(source)
    reference.norm.load_state_dict(encoder.last_norm.state_dict())
    embedded, is_token = inputs(8)
    encoded = encoder(embedded, is_token)
    first = embedded * math.sqrt(8) + sinusoids(torch.arange(6), 8)
    expected = reference(first, src_key_padding_mask=~is_token)
    torch.testing.assert_close(encoded.states[is_token], expected[is_token])
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(encoded.summary[row], expected[row, :length].mean(0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_convolutions_follow_their_equations(width) -> None:
    """Gehring et al. 2017."""
    encoder = perturbed(ConvolutionalEncoder(6, layers=2, hidden_size=4, width=width))
    embedded, is_token = inputs(6)
    encoded = encoder(embedded, is_token)
    for row, length in enumerate(LENGTHS):
        states = embedded[row, :length] * math.sqrt(6) + sinusoids(torch.arange(length), 6)
        states = encoder.projection(states)
        for convolution in encoder.convolutions:
            kernel = convolution.product.weight.view(8, width, 4).transpose(1, 2)
            result = nn.functional.conv1d(
                states.T[None], kernel, convolution.product.bias, padding=width // 2
            )
            states = (states + nn.functional.glu(result, 1)[0].T) * math.sqrt(0.5)
        torch.testing.assert_close(encoded.states[row, :length], states)


def test_the_network_s_dropout_is_used_in_training_only() -> None:
    embedded, is_token = inputs(8)
    for encoder in (
        SelfAttentionEncoder(8, nn.Dropout(0.5), layers=1, heads=2),
        ConvolutionalEncoder(8, nn.Dropout(0.5), layers=1, hidden_size=4),
    ):
        encoder.double().train()
        assert not torch.equal(encoder(embedded, is_token).states, encoder(embedded, is_token).states)
        encoder.eval()
        assert torch.equal(encoder(embedded, is_token).states, encoder(embedded, is_token).states)


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("self_attention", {"heads": 3}, "heads=3"),
        ("self_attention", {"layers": 0}, "layers"),
        ("self_attention", {"feed_forward_size": -1}, "feed_forward_size"),
        ("convolutional", {"width": 4}, "width"),
        ("convolutional", {"hidden_size": 0}, "hidden_size"),
        ("convolutional", {"heads": 2}, "unknown option 'heads'"),
    ],
)
def test_wrong_options_are_refused(name, options, word) -> None:
    with pytest.raises(PluginError, match=word):
        ENCODERS.build(name, 8, options=options)
