"""The decoder wirings: the one table of their names, from which run files, help texts, checks and the builder read.

To add a wiring, write its class as a subclass of `nmt_lstm.model.decoder.Decoder`, and add its name and its row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["WIRINGS", "Wiring", "WiringName"]

WiringName = Literal["gnmt", "top", "input_feeding", "conditional"]
"""The names in `WIRINGS`: a type checker accepts a row only if its name is here."""


class Wiring(NamedTuple):
    """One way in which attention and the decoder's cells are connected."""

    decoder: str
    """The class, ``package.module:Class``; a name, since configuration does not import torch."""
    summary: str
    """What the wiring does, in a few words."""


WIRINGS: Mapping[WiringName, Wiring] = {
    "gnmt": Wiring(
        "nmt_lstm.model.gnmt:GnmtDecoder", "queries come from the first layer; fastest (Wu et al. 2016)"
    ),
    "top": Wiring(
        "nmt_lstm.model.top:TopDecoder",
        "queries come from the top layer, contexts go to the output alone (Luong et al. 2015, without feeding)",
    ),
    "input_feeding": Wiring(
        "nmt_lstm.model.input_feeding:InputFeedingDecoder",
        "each step reads the last step's output (Luong et al. 2015)",
    ),
    "conditional": Wiring(
        "nmt_lstm.model.conditional:ConditionalDecoder",
        "attention between two transitions of a step (Sennrich et al. 2017)",
    ),
}
