"""Attention: the protocol and the stock attentions."""
