"""Exported folders: model folders of prepared weights, tables and a shortlist, which are read as they are used."""

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

__all__ = ["load_exported", "write_exported"]


def write_exported(
    folder: str | Path,
    source: ModelFolder,
    precision: InferencePrecision,
    shortlist: Shortlist | None = None,
) -> None:
    """Prepare a trained model for inference and write it into a folder of its own.

    Args:
        folder: to write; new, empty, or a model folder, whose model is replaced.
        source: the trained model's folder.
        precision: of the products.
        shortlist: kept in the folder and used in translation.

    Raises:
        ModelFolderError: the source is exported itself, or `folder` belongs to another program.
        OSError: it cannot be written.
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
    """Return the model of an exported folder, packed; its tables stay in the file, mapped into memory.

    Raises:
        ModelFolderError: a plugin is missing, or the folder was exported by a version that prepared models differently.
    """
    manifest = folder.manifest
    with named_by(folder.folder):
        require_plugins(folder.folder, manifest.plugins)
    if manifest.exported not in get_args(InferencePrecision):
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


def _skeleton(folder: ModelFolder) -> InferenceModel:
    """Build the model without the values of its weights."""
    with named_by(folder.folder):
        model = build_unweighted_model(
            folder.run.model, folder.subwords.source.size, folder.subwords.target.size
        )
    precision = cast(InferencePrecision, folder.manifest.exported)
    return prepare_for_inference(model, precision, with_tables=False)


def _quantise_older_tables(state: dict[str, torch.Tensor], model: InferenceModel) -> None:
    """Give tables of bf16, as exports to int8 had them once, the form that they have now."""
    for name, part in model.named_modules():
        weight, scale = f"{name}.weight", f"{name}.scale"
        if isinstance(part, PieceTable) and part.scale is not None and scale not in state and weight in state:
            state[weight], state[scale] = quantized(state[weight].float())


def _of_another_version(folder: ModelFolder) -> ModelFolderError:
    wrote = folder.manifest.versions.get("nmt-lstm", "another version")
    return ModelFolderError(
        f"'{folder.folder}' was exported by nmt-lstm {wrote}, which prepared models differently; export it again."
    )
