"""Exported model folders: weights prepared for inference, tables and a shortlist, memory-mapped from the file."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import torch

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import WEIGHTS, ModelFolder
from nmt_lstm.checkpoint.plugin_records import require_plugins
from nmt_lstm.checkpoint.weights import load_weights
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.inference.inference_model import InferenceModel, prepare_for_inference
from nmt_lstm.inference.shortlist import Shortlist
from nmt_lstm.model.build import build_unweighted_model
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.int8 import quantized
from nmt_lstm.numerics.piece_table import PieceTable
from nmt_lstm.registry.provenance import named_by

__all__ = ["build_skeleton", "load_exported", "write_exported"]


def write_exported(
    folder: str | Path,
    source: ModelFolder,
    precision: InferencePrecision,
    shortlist: Shortlist | None = None,
) -> None:
    """Prepare a trained model for inference, and write it as a model folder.

    Args:
        folder: where to write: a new or empty folder, or a model folder, whose model is replaced.
        source: the trained model's folder.
        precision: of the products.
        shortlist: stored in the folder and used in translation.

    Raises:
        ModelFolderError: `source` is an exported folder, or `folder` belongs to another program.
        OSError: the folder is not writable.
    """
    prepared = prepare_for_inference(source.load_model(), precision).with_shortlist(shortlist)
    model_folder.write(
        folder,
        run=source.run,
        subwords=source.subwords,
        model_state=prepared.state_dict(),
        metrics=source.metrics,
        exported=precision,
    )


def load_exported(folder: ModelFolder) -> InferenceModel:
    """Return the packed model of an exported folder; its tables stay in the file, which is memory-mapped.

    Raises:
        ModelFolderError: a plugin is missing, or the folder was exported by a version that prepared models differently.
    """
    manifest = folder.manifest
    with named_by(folder.folder):
        require_plugins(folder.folder, manifest.plugins)
    if manifest.exported not in get_args(InferencePrecision):
        raise _incompatible_version(folder)
    state = load_weights(folder.folder / WEIGHTS, torch.device("cpu"))
    shortlist = None
    if "shortlist.frequent" in state:
        shortlist = Shortlist(
            state["shortlist.translations"], state["shortlist.frequent"], folder.subwords.target.size
        )
    model = build_skeleton(folder).with_shortlist(shortlist)
    _quantize_older_tables(state, model)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as problem:
        raise _incompatible_version(folder) from problem
    return model.eval().pack()


def build_skeleton(folder: ModelFolder) -> InferenceModel:
    """Build the model of an exported folder, without the values of its weights."""
    with named_by(folder.folder), folder.limited_size():
        model = build_unweighted_model(
            folder.run.model, folder.subwords.source.size, folder.subwords.target.size
        )
    precision = cast(InferencePrecision, folder.manifest.exported)
    return prepare_for_inference(model, precision, with_tables=False)


def _quantize_older_tables(state: dict[str, torch.Tensor], model: InferenceModel) -> None:
    """Quantize the bf16 tables of earlier exports to int8 in place, as they are exported now."""
    for name, module in model.named_modules():
        weight, scale = f"{name}.weight", f"{name}.scale"
        if (
            isinstance(module, PieceTable)
            and module.scale is not None
            and scale not in state
            and weight in state
        ):
            state[weight], state[scale] = quantized(state[weight].float())


def _incompatible_version(folder: ModelFolder) -> ModelFolderError:
    version = folder.manifest.versions.get("nmt-lstm", "another version")
    return ModelFolderError(
        f"'{folder.folder}' was exported by nmt-lstm {version}, which prepared models differently; export it again.",
        path=folder.folder,
    )
