"""Fine-tuning: the weights of a trained model as the start of a run, and which of them stay as they are."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor, nn

from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.subwords import Subwords, Vocabulary

__all__ = ["freeze", "start_from"]

# Weights with a row for each piece, and the vocabulary of the pieces.
_ROWS_OF_PIECES = {
    "encoder.embedding.weight": "source",
    "target_embedding.weight": "target",
    "output_weight": "target",
    "output_bias": "target",
}


@torch.no_grad()
def start_from(folder: Path, model: nn.Module, subwords: Subwords) -> str:
    """Copy the weights of a trained model into a model with the same network, and return a sentence about it.

    With a different vocabulary, the pieces that both have keep their embeddings and their rows of the output layer.

    Args:
        folder: the model folder of the trained model.
        model: the model of the run.
        subwords: the vocabularies of the run.

    Raises:
        ConfigurationError: the networks differ.
        ModelFolderError: the folder cannot be read, or is an exported model.
    """
    base = ModelFolder.read(folder)
    weights = base.load_network().state_dict()
    own = model.state_dict()
    rows = {
        side: _shared_rows(getattr(base.subwords, side), getattr(subwords, side))
        for side in ("source", "target")
    }
    for name, weight in own.items():
        side = _ROWS_OF_PIECES.get(name)
        start = weights.get(name)
        if start is None or start.shape[(side is not None) :] != weight.shape[(side is not None) :]:
            _refuse(folder, name, None if start is None else tuple(start.shape), tuple(weight.shape))
        if side is None:
            weight.copy_(start)
        else:
            ours, theirs = rows[side]
            weight[ours] = start[theirs]
    missing = sorted(weights.keys() - own.keys())
    if missing:
        _refuse(folder, missing[0], tuple(weights[missing[0]].shape), None)
    return f"Started from '{folder}': {_describe(subwords, rows)}."


def freeze(model: nn.Module, patterns: Sequence[str]) -> int:
    """Exclude the parameters whose names match a pattern from training, and return how many values these are.

    Args:
        model: whose parameters are named as in its ``state_dict``.
        patterns: names with wildcards, such as ``encoder.*``.

    Raises:
        ConfigurationError: a pattern matches nothing, or all parameters are excluded.
    """
    # A tied weight has several names, and is frozen if one of them matches.
    parameters = dict(model.named_parameters(remove_duplicate=False))
    frozen: set[str] = set()
    for pattern in patterns:
        names = fnmatch.filter(parameters, pattern)
        if not names:
            raise ConfigurationError(
                f"training.freeze: '{pattern}' matches no parameter; there are, for example, {', '.join(list(parameters)[:6])}.",
                key="training.freeze",
                value=pattern,
            )
        frozen.update(names)
    if frozen.issuperset(parameters):
        raise ConfigurationError(
            "training.freeze leaves nothing to train; exclude fewer parameters.", key="training.freeze"
        )
    for name in frozen:
        parameters[name].requires_grad_(False)
    return sum(
        weight.numel() for weight in {id(parameters[name]): parameters[name] for name in frozen}.values()
    )


def _shared_rows(base: Vocabulary, own: Vocabulary) -> tuple[Tensor, Tensor]:
    """Return the numbers of the pieces that both vocabularies have, (N,) in `own` and (N,) in `base`."""
    numbers = {piece: number for number, piece in enumerate(base.pieces(range(base.size)))}
    pairs = [
        (number, numbers[piece])
        for number, piece in enumerate(own.pieces(range(own.size)))
        if piece in numbers
    ]
    ours, theirs = torch.tensor(pairs).unbind(1)
    return ours, theirs


def _describe(subwords: Subwords, rows: dict[str, tuple[Tensor, Tensor]]) -> str:
    sides = {"": "source"} if subwords.joint else {"source ": "source", "target ": "target"}
    counts = [(name, len(rows[side][0]), getattr(subwords, side).size) for name, side in sides.items()]
    if all(shared == size for _, shared, size in counts):
        return "all weights"
    return "; ".join(
        f"{shared:,} of {size:,} {name}pieces keep their embeddings, and {size - shared:,} start at random"
        for name, shared, size in counts
    )


def _refuse(folder: Path, name: str, before: tuple[int, ...] | None, now: tuple[int, ...] | None) -> NoReturn:
    raise ConfigurationError(
        f"training.init_from: the network in '{folder}' is different: '{name}' has shape {before or 'none'} there and "
        f"{now or 'none'} here; use the [model] settings of '{folder / 'run.toml'}'.",
        key="training.init_from",
        value=str(folder),
    )
