"""From folders to models ready for search: trained or exported, on a processor or a GPU, in the precision asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

import torch

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError, ResourceError, nearest
from nmt_lstm.inference.exported import load_exported
from nmt_lstm.inference.inference_model import InferenceModel, prepare_for_inference
from nmt_lstm.inference.onnx.folder import ONNX, load_onnx
from nmt_lstm.inference.onnx.model import OnnxModel
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.device import choose_device
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.memory import keep_freed_memory
from nmt_lstm.numerics.precision import Precision, has_fast_bf16, resolve_precision, slow_bf16
from nmt_lstm.text.subwords import Subwords

__all__ = ["Loaded", "Model", "load_models", "of_whole_vocabulary", "output_bias"]

logger = logging.getLogger(__name__)

PRECISIONS = ("auto", "float32", "bf16", "fp16", "int8")

Model: TypeAlias = Seq2Seq | InferenceModel | OnnxModel


class Loaded(NamedTuple):
    """Models of one vocabulary on one device."""

    models: list[Model]
    subwords: Subwords
    run: RunSettings
    """That of the first model."""
    device: torch.device
    precision: Precision | InferencePrecision


def load_models(paths: Sequence[str | Path], device: str, precision: str) -> Loaded:
    """Load model folders, trained or exported.

    Args:
        paths: the folders.
        device: "auto", "cpu", "cuda" or "cuda:N"; auto is the processor for exported folders.
        precision: "auto", "float32", "bf16", "fp16" or "int8"; auto is float32, or an exported folder's own.

    Raises:
        ModelFolderError: a folder is missing, damaged, or needs a plugin that is not installed.
        ConfigurationError: there is no folder; the models do not share their vocabularies; unknown device or precision.
        ResourceError: the device is not there, or does not compute in this precision.
    """
    if not paths:
        raise ConfigurationError("no model folder was given; name at least one.")
    if precision not in PRECISIONS:
        raise ConfigurationError(
            f"unknown precision '{precision}'.{nearest(precision, PRECISIONS)} Known: {', '.join(PRECISIONS)}."
        )
    place = choose_device(device)
    opened = [model_folder.read(path) for path in paths]
    first = opened[0]
    for other in opened[1:]:
        for side, vocabulary in first.manifest.vocabulary.items():
            if other.manifest.vocabulary[side] != vocabulary:
                raise ConfigurationError(
                    f"'{first.folder}' and '{other.folder}' have different {side} vocabularies and cannot form an "
                    f"ensemble; train them on the same prepared data."
                )
    exported = next((folder for folder in opened if folder.manifest.exported), None)
    chosen: Precision | InferencePrecision
    if exported is not None:
        if device == "auto":
            place = torch.device("cpu")
        chosen = _exported_precision(exported, place, precision)
    else:
        chosen = _resolved(precision, place)
    models = [_load(folder, place, chosen) for folder in opened]
    return Loaded(models, first.subwords, first.run, place, chosen)


def _resolved(precision: str, device: torch.device) -> Precision | InferencePrecision:
    if precision == "int8":
        if device.type != "cpu":
            others = "bf16 or fp16" if has_fast_bf16(device) else "fp16"
            raise ResourceError(
                f"precision 'int8' is for processors, but the device is '{device}'; use {others}, or --device cpu."
            )
        return "int8"
    return resolve_precision("float32" if precision == "auto" else precision, device)


def _exported_precision(folder: ModelFolder, device: torch.device, asked: str) -> InferencePrecision:
    exported = folder.manifest.exported
    if device.type != "cpu":
        raise ResourceError(
            f"'{folder.folder}' was exported for processors, but the device is '{device}'; use --device cpu, or the "
            f"folder it was made from."
        )
    exported = exported.removeprefix(f"{ONNX} ")
    if asked not in ("auto", exported):
        raise ConfigurationError(
            f"'{folder.folder}' was exported in {exported} and cannot compute in {asked}; leave --precision out, or "
            f"export the trained model again with --precision {asked}."
        )
    if exported == "bf16" and (slow := slow_bf16()):
        # Not refused: it translates all the same, and the model it was made from may be elsewhere.
        logger.warning(
            "%s, in which '%s' was exported; export it again in int8 or float32.", slow, folder.folder
        )
    return cast(InferencePrecision, exported)


def _load(folder: ModelFolder, device: torch.device, precision: Precision | InferencePrecision) -> Model:
    if device.type == "cpu":
        keep_freed_memory()
    if folder.manifest.exported.startswith(ONNX):
        return load_onnx(folder)
    if folder.manifest.exported:
        return load_exported(folder)
    model = folder.load_model(device)
    if device.type == "cpu" and precision != "fp16":
        return prepare_for_inference(model, precision).pack()
    return model


def of_whole_vocabulary(model: Model) -> Model:
    """Return the model without its shortlist, if it has one."""
    if isinstance(model, InferenceModel) and model.shortlist is not None:
        return model.with_shortlist(None)
    return model


def output_bias(model: Model) -> torch.Tensor | None:
    """Return the biases of the output layer, (V,); None for graphs, which do not show them."""
    if isinstance(model, Seq2Seq):
        return model.output_bias
    return model.output.bias if isinstance(model, InferenceModel) else None
