"""Fine-tuning: the weights of a trained model as the start of a run, and which of them stay as they are."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.config.fields import differences
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.corpora.builtin import model_name, model_path
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.subwords import Subwords, Vocabulary

__all__ = ["freeze", "read_base", "start_from"]

# Settings of the network that only training uses.
_TRAINING_ONLY = ("model.dropout", "model.variational_dropout", "model.word_dropout")
# Weights with a row for each piece, and the vocabulary of the pieces.
_ROWS_OF_PIECES = {
    "encoder.embedding.weight": "source",
    "target_embedding.weight": "target",
    "output_weight": "target",
    "output_bias": "target",
}


def read_base(folder: Path, task: TaskName, settings: ModelSettings) -> ModelFolder:
    """Read the trained model that a run starts from, after comparing the settings of the two networks.

    Args:
        folder: the model folder, or ``builtin:NAME``.
        task: of the run.
        settings: of its network.

    Raises:
        ConfigurationError: the networks differ; each setting is named with both values.
        ModelFolderError: the folder cannot be read, or is an exported model.
        WrongTaskError: the model is for a different task.
    """
    base = ModelFolder.read(model_path(folder, trained=True))
    base.check_trained()
    base.manifest.check_task(base.folder, task)
    changed = [change for change in _changes(base, task, settings) if not _is_option(change[0])]
    if changed:
        described = "; ".join(f"{name} is {before!r} there and {now!r} here" for name, before, now in changed)
        raise ConfigurationError(
            f"training.init_from: the network in '{model_name(folder)}' is different: {described}. Use the same values, or train without "
            f"--init-from.",
            key=changed[0][0],
            value=changed[0][2],
        )
    return base


@torch.no_grad()
def start_from(
    folder: Path, model: nn.Module, subwords: Subwords, *, task: TaskName, settings: ModelSettings
) -> str:
    """Copy the weights of a trained model into a model with the same network, and return a sentence about it.

    With a different vocabulary, the pieces that both have keep their embeddings and their rows of the output layer.

    Args:
        folder: the model folder of the trained model, or ``builtin:NAME``.
        model: the model of the run.
        subwords: the vocabularies of the run.
        task: of the run.
        settings: of its network.

    Raises:
        ConfigurationError: the networks differ.
        ModelFolderError: the folder cannot be read, or is an exported model.
        WrongTaskError: the model is for a different task.
    """
    base = read_base(folder, task, settings)
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
    options = [
        f" {name} is {before!r} there and {now!r} here."
        for name, before, now in _changes(base, task, settings)
    ]
    return f"Started from '{model_name(folder)}': {_describe(subwords, rows)}.{''.join(options)}"


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


def _changes(base: ModelFolder, task: TaskName, settings: ModelSettings) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, value in the base, value in the run) of each setting of the network that differs."""
    without_effect = (*_TRAINING_ONLY, *TASKS[task].unused)
    before_all, now_all = (each.model_dump(mode="json") for each in (base.run.model, settings))
    for name, before, now in differences(before_all, now_all, "model"):
        if not name.startswith(without_effect):
            yield name, before, now


def _is_option(name: str) -> bool:
    """Whether a setting is an option of a part, which need not change its weights."""
    return "options" in name.partition("model.")[2]


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
        f"training.init_from: the network in '{model_name(folder)}' is different: '{name}' has shape {before or 'none'} there and "
        f"{now or 'none'} here, although the settings agree; do their cells and attention have the same versions?",
        key="training.init_from",
        value=str(folder),
    )
