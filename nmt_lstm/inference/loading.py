"""Loading model folders, trained or exported, as models ready for search on a device and in a precision."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

import torch

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.model_folder import ModelFolder
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.corpora.builtin import model_name
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

__all__ = ["LoadedModels", "Model", "load_models", "model_precision", "output_bias", "without_shortlist"]

logger = logging.getLogger(__name__)

PRECISIONS = ("auto", "float32", "bf16", "fp16", "int8")

Model: TypeAlias = Seq2Seq | InferenceModel | OnnxModel


class LoadedModels(NamedTuple):
    """Models with the same vocabularies on one device."""

    models: list[Model]
    subwords: Subwords
    run: RunSettings
    """The run of the first model."""
    device: torch.device
    precision: Precision | InferencePrecision


def load_models(paths: Sequence[str | Path], device: str, precision: str) -> LoadedModels:
    """Load model folders, trained or exported.

    Args:
        paths: the folders.
        device: "auto", "cpu", "cuda" or "cuda:N"; auto is the processor for exported folders.
        precision: "auto", "float32", "bf16", "fp16" or "int8"; auto is float32, or the precision of an exported folder.

    Raises:
        ModelFolderError: a folder is missing, damaged, or needs a plugin that is not installed.
        ConfigurationError: no folder is given, the vocabularies differ, or the device or precision is unknown.
        ResourceError: the device does not exist, or does not support the precision.
    """
    if not paths:
        raise ConfigurationError("no model folder was given; pass at least one.")
    _check_precision(precision)
    torch_device = choose_device(device)
    folders = [model_folder.read(path) for path in paths]
    first = folders[0]
    for other in folders[1:]:
        for side, vocabulary in first.manifest.vocabulary.items():
            if other.manifest.vocabulary[side] != vocabulary:
                raise ConfigurationError(
                    f"'{model_name(first.folder)}' and '{model_name(other.folder)}' have different {side} vocabularies and cannot form an "
                    f"ensemble; train them on the same prepared data."
                )
    exported = next((folder for folder in folders if folder.manifest.exported), None)
    chosen: Precision | InferencePrecision
    if exported is not None:
        if device == "auto":
            torch_device = torch.device("cpu")
        chosen = _exported_precision(exported, torch_device, precision)
    else:
        chosen = model_precision(precision, torch_device)
    models = [_load(folder, torch_device, chosen) for folder in folders]
    return LoadedModels(models, first.subwords, first.run, torch_device, chosen)


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ConfigurationError(
            f"unknown precision '{precision}'.{nearest(precision, PRECISIONS)} Known: {', '.join(PRECISIONS)}.",
            key="precision",
            value=precision,
        )


def model_precision(precision: str, device: torch.device) -> Precision | InferencePrecision:
    """Return the precision of a trained model on a device; "auto" is float32.

    Raises:
        ConfigurationError: the precision is unknown.
        ResourceError: the device does not support it.
    """
    _check_precision(precision)
    if precision == "int8":
        if device.type != "cpu":
            others = "bf16 or fp16" if has_fast_bf16(device) else "fp16"
            raise ResourceError(
                f"precision 'int8' is for processors, but the device is '{device}'; use {others}, or --device cpu."
            )
        return "int8"
    return resolve_precision("float32" if precision == "auto" else precision, device)


def _exported_precision(folder: ModelFolder, device: torch.device, precision: str) -> InferencePrecision:
    exported = folder.manifest.exported
    if device.type != "cpu":
        raise ResourceError(
            f"'{model_name(folder.folder)}' was exported for processors, but the device is '{device}'; use --device cpu, or the "
            f"trained model."
        )
    exported = exported.removeprefix(f"{ONNX} ")
    if precision not in ("auto", exported):
        raise ConfigurationError(
            f"'{model_name(folder.folder)}' was exported in {exported} and cannot compute in {precision}; omit --precision, or "
            f"export the trained model again with --precision {precision}."
        )
    if exported == "bf16" and (slow := slow_bf16()):
        # Not an error: it translates nevertheless, and the trained model may not be at hand.
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


def without_shortlist(model: Model) -> Model:
    """Return the model without its shortlist, if it has one."""
    if isinstance(model, InferenceModel) and model.shortlist is not None:
        return model.with_shortlist(None)
    return model


def output_bias(model: Model) -> torch.Tensor | None:
    """Return the biases of the output layer, (V,); None for ONNX graphs, which do not expose them."""
    if isinstance(model, Seq2Seq):
        return model.output_bias
    return model.output.bias if isinstance(model, InferenceModel) else None
