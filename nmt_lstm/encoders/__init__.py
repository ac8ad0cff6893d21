"""Encoders: what reads the source sentences between their embeddings and the decoder."""
