"""Recurrent cells: the protocol, the gated base with its unrolled loop, and the stock cells."""
