"""Recurrent cells: the protocol, the gated base with its sweep, and the stock cells."""
