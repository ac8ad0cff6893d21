"""The built-in optimizers: the one table of their names, from which run files, checks and the builder read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nmt_lstm.errors import nearest

__all__ = ["OPTIMIZERS", "BuiltinOptimizer", "check_optimizer_name"]


class BuiltinOptimizer(NamedTuple):
    """One optimizer that a run file names by a word."""

    target: str
    """The class, ``package.module:Class``; a name, since configuration does not import torch."""
    arguments: Mapping[str, str]
    """Settings of [training.optimizer] that only some optimizers use, and the constructor's names for them."""
    summary: str


_ADAM = {"betas": "betas", "epsilon": "eps"}

OPTIMIZERS: Mapping[str, BuiltinOptimizer] = {
    "adam": BuiltinOptimizer("torch.optim:Adam", _ADAM, "Kingma and Ba 2015"),
    "adamw": BuiltinOptimizer(
        "torch.optim:AdamW", _ADAM, "decoupled weight decay, Loshchilov and Hutter 2019"
    ),
    "sgd": BuiltinOptimizer("torch.optim:SGD", {}, "options momentum, nesterov and dampening"),
    "muon": BuiltinOptimizer(
        "nmt_lstm.training.muon:MuonWithAdamW",
        _ADAM,
        "Muon for matrices, AdamW for embeddings, output and vectors, Jordan et al. 2024",
    ),
}


def check_optimizer_name(name: str) -> str:
    """Return the name of an optimizer.

    Raises:
        ValueError: it is neither in the table nor ``package.module:Class``.
    """
    module, colon, part = name.partition(":")
    if name in OPTIMIZERS or (colon and module and part):
        return name
    known = ", ".join(f'"{known}"' for known in OPTIMIZERS)
    raise ValueError(
        f"must be {known}, or the package.module:Class of an optimizer{nearest(name, OPTIMIZERS).replace(' Did', '. Did')}"
    )
