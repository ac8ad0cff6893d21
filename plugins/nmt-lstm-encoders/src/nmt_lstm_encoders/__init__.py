"""Encoders without recurrence for nmt-lstm."""

from nmt_lstm_encoders.convolutional import ConvolutionalEncoder
from nmt_lstm_encoders.positions import sinusoids
from nmt_lstm_encoders.self_attention import SelfAttentionEncoder

__all__ = ["ConvolutionalEncoder", "SelfAttentionEncoder", "sinusoids"]
