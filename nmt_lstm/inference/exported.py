"""Exported folders: model folders of frozen weights, tables and a shortlist, which are read as they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch.overrides import TorchFunctionMode

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import WEIGHTS, ModelFolder
from nmt_lstm.checkpoint.plugin_records import require_plugins
from nmt_lstm.checkpoint.weights import load_weights
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.inference.frozen_cell import PieceTable
from nmt_lstm.inference.frozen_model import FrozenModel, freeze
from nmt_lstm.inference.shortlist import Shortlist
from nmt_lstm.model.build import build_unweighted_model
from nmt_lstm.numerics.frozen_linear import FrozenPrecision
from nmt_lstm.numerics.int8 import quantized
from nmt_lstm.registry.provenance import named_by

__all__ = ["load_exported", "write_exported"]

# Inside of the last three a mode does not see what they call.
DRAWS = (
    torch.Tensor.normal_,
    torch.Tensor.uniform_,
    torch.nn.init.normal_,
    torch.nn.init.uniform_,
    torch.nn.init.kaiming_uniform_,
)


def write_exported(
    folder: str | Path,
    source: ModelFolder,
    precision: FrozenPrecision,
    shortlist: Shortlist | None = None,
) -> None:
    """Freeze a trained model and write it into a folder of its own.

    Args:
        folder: to write; new, empty, or a model folder, whose model is replaced.
        source: the trained model's folder.
        precision: of the products.
        shortlist: kept in the folder and used in translation.

    Raises:
        ModelFolderError: the source is exported itself, or `folder` is somebody else's.
        OSError: it cannot be written.
    """
    frozen = freeze(source.load_model(), precision).with_shortlist(shortlist)
    model_folder.write(
        folder,
        run=source.run,
        subwords=source.subwords,
        model_state=frozen.state_dict(),
        metrics=source.metrics,
        exported=precision,
    )


def load_exported(folder: ModelFolder) -> FrozenModel:
    """Return the model of an exported folder, packed; its tables stay in the file, mapped into memory.

    Raises:
        ModelFolderError: a plugin is missing, or the folder was exported by a version that froze models otherwise.
    """
    manifest = folder.manifest
    with named_by(folder.folder):
        require_plugins(folder.folder, manifest.plugins)
    if manifest.exported not in get_args(FrozenPrecision):
        raise _of_another_version(folder)
    state = load_weights(folder.folder / WEIGHTS, torch.device("cpu"))
    shortlist = None
    if "shortlist.frequent" in state:
        shortlist = Shortlist(
            state["shortlist.translations"], state["shortlist.frequent"], folder.subwords.target.size
        )
    model = _skeleton(folder).with_shortlist(shortlist)
    _quantise_older_tables(state, model)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as problem:
        raise _of_another_version(folder) from problem
    return model.eval().pack()


def _skeleton(folder: ModelFolder) -> FrozenModel:
    """Build the frozen model with any values in its weights."""
    with _WithoutDraws(), named_by(folder.folder):
        model = build_unweighted_model(
            folder.run.model, folder.subwords.source.size, folder.subwords.target.size
        )
    return freeze(model, cast(FrozenPrecision, folder.manifest.exported), with_tables=False)


class _WithoutDraws(TorchFunctionMode):
    """Skips what initialises weights, which takes half a second; on the "meta" device PyTorch needs longer still."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        if func is torch.randn:
            return torch.empty(*args, **(kwargs or {}))
        if func is torch.linalg.qr:  # of orthogonal initialisation
            rows, columns = args[0].shape
            inner = min(rows, columns)
            return args[0].new_empty(rows, inner), args[0].new_empty(inner, columns)
        return func(*args, **(kwargs or {}))


def _quantise_older_tables(state: dict[str, torch.Tensor], model: FrozenModel) -> None:
    """Give tables of bf16, as exports to int8 had them once, the form that they have now."""
    for name, part in model.named_modules():
        weight, scale = f"{name}.weight", f"{name}.scale"
        if isinstance(part, PieceTable) and part.scale is not None and scale not in state and weight in state:
            state[weight], state[scale] = quantized(state[weight].float())


def _of_another_version(folder: ModelFolder) -> ModelFolderError:
    wrote = folder.manifest.versions.get("nmt-lstm", "another version")
    return ModelFolderError(
        f"'{folder.folder}' was exported by nmt-lstm {wrote}, which froze models otherwise; export it again."
    )
