"""The files of model folders and runs, and whether a folder may be written to; does not import torch."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.checkpoint.manifest import MANIFEST, RUN, TRAINING_STATE, Manifest
from nmt_lstm.checkpoint.plugin_records import COPY_PREFIX
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.folders import foreign_names
from nmt_lstm.text.held_out import FOLDER as HELD_OUT

__all__ = ["GRAPHS", "LOCK", "METRICS", "SCALE", "SUBWORDS", "WEIGHTS", "WRITING", "check_output_folder"]

WEIGHTS, METRICS = "model.safetensors", "metrics.json"
SUBWORDS = ("subwords.joint.model", "subwords.source.model", "subwords.target.model")
SCALE = "series.json"
GRAPHS = ("encoder.onnx", "decoder.onnx")
TRAINING_FOLDERS = (TRAINING_STATE, "logs", HELD_OUT)
# Locked by a training run that writes into the folder.
LOCK = ".lock"
OWN_FILES = {RUN, WEIGHTS, METRICS, MANIFEST, *SUBWORDS, SCALE, *GRAPHS, *TRAINING_FOLDERS, LOCK}
WRITING = "writing"


def check_output_folder(folder: str | Path) -> None:
    """Raise ModelFolderError unless `folder` is new, empty, or contains only the files of a training run."""
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise ModelFolderError(
            f"output folder '{path}' is a file; choose a different name with -o.", path=path
        )
    if not path.is_dir() or (path / MANIFEST).exists():
        if (path / MANIFEST).exists():
            Manifest.read(path)
        return
    foreign = foreign_names(
        path, lambda name: name in OWN_FILES or name.startswith((f".{WRITING}-", COPY_PREFIX))
    )
    if foreign:
        raise ModelFolderError(
            f"output folder '{path}' contains files that do not belong to a training run ({foreign}); "
            f"choose a different folder with -o, or empty it.",
            path=path,
        )
