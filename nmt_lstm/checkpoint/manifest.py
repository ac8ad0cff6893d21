"""The manifest of a model folder: format, versions, checksums, vocabularies and plugins."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

import nmt_lstm
from nmt_lstm.checkpoint.plugin_records import COPY_PREFIX
from nmt_lstm.errors import ModelFolderError
from nmt_lstm.files.checksums import checked_json, sha256_of, sha256_of_content, without_checksum
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular

__all__ = ["FORMAT", "FORMAT_VERSION", "MANIFEST", "FileRecord", "Manifest", "check_files", "make_manifest"]

MANIFEST = "manifest.json"
RUN = "run.toml"
TRAINING_STATE = "checkpoints"
"""Folder of a model folder where training keeps its state."""
FORMAT = "nmt-lstm model folder"
FORMAT_VERSION = 1
# Files that people read, and that git or an editor may convert.
TEXT_SUFFIXES = (".toml", ".json", ".py")
LIBRARIES = ("torch", "sentencepiece", "safetensors", "numpy", "pydantic")


class FileRecord(BaseModel):
    """Size and checksum of one file."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What ``manifest.json`` holds."""

    model_config = ConfigDict(frozen=True)

    format: str
    format_version: int
    written: str
    """When, as ISO 8601 in UTC."""
    versions: dict[str, str]
    """Versions of nmt-lstm, Python and the libraries that wrote the folder."""
    files: dict[str, FileRecord]
    vocabulary: dict[str, str]
    """Fingerprints of the "source" and "target" vocabularies."""
    plugins: dict[str, list[dict[str, str]]]
    """Records of the registered "cells" and "attentions" that the model is built of."""
    parameters: int
    """Number of trained values, shared ones counted once."""
    exported: str = ""
    """Precision of the frozen weights, if the folder was exported for translation; empty for a trained model."""

    @staticmethod
    def read(folder: Path) -> Manifest:
        """Read the manifest of a model folder.

        Raises:
            ModelFolderError: the folder or its manifest is missing, damaged, of another kind or too new.
        """
        path = folder / MANIFEST
        if not folder.is_dir():
            raise ModelFolderError(_not_a_folder(folder))
        try:
            values = parse_json(read_regular(path))
        except FileNotFoundError:
            raise ModelFolderError(_no_manifest(folder)) from None
        except OSError as problem:
            raise ModelFolderError(f"'{path}' cannot be read: {problem.strerror}.") from problem
        except ValueError as problem:
            raise ModelFolderError(
                f"'{path}' is damaged ({problem}); copy or train the model again."
            ) from problem
        kind, version = (
            values.get(key) if isinstance(values, dict) else None for key in ("format", "format_version")
        )
        if kind != FORMAT or not isinstance(version, int):
            raise ModelFolderError(
                f"'{path}' is the manifest of something else: its format is {kind!r}, not '{FORMAT}'; "
                f"name a folder that nmt-lstm train -o wrote."
            )
        if version > FORMAT_VERSION:
            versions = values.get("versions")
            wrote = (
                versions.get("nmt-lstm", "a newer version")
                if isinstance(versions, dict)
                else "a newer version"
            )
            raise ModelFolderError(
                f"'{folder}' has format version {version}, and this nmt-lstm ({nmt_lstm.__version__}) reads up to "
                f"{FORMAT_VERSION}; it was written by nmt-lstm {wrote}: install that version."
            )
        try:
            return Manifest.model_validate(without_checksum(values))
        except ValidationError as problem:
            first = problem.errors()[0]
            raise ModelFolderError(
                f"'{path}' is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}; "
                f"copy or train the model again."
            ) from problem
        except ValueError as problem:
            raise ModelFolderError(
                f"'{path}' is damaged ({problem}); copy or train the model again."
            ) from problem

    def text(self) -> str:
        """Return what `read` reads, with a checksum of its own."""
        return checked_json(self.model_dump(mode="json"))


def _not_a_folder(path: Path) -> str:
    """Say what is at a path instead of a model folder, and which folder was probably meant."""
    model = _model_folder_around(path)
    if not path.exists():
        return f"model folder '{path}' does not exist{_or_around(model)}; train one with: nmt-lstm train."
    if path.suffix in (".ckpt", ".safetensors") and path.parent.name == TRAINING_STATE:
        what = "a checkpoint of a training run, not a model"
    else:
        what = "a file, not a model folder"
    advice = f"the model folder is '{model}'" if model else "name the folder that nmt-lstm train -o wrote"
    return f"'{path}' is {what}; {advice}."


def _no_manifest(folder: Path) -> str:
    model = _model_folder_around(folder)
    advice = f"the model folder is '{model}'" if model else "name the folder that nmt-lstm train -o wrote"
    return f"'{folder}' is not a model folder: it has no {MANIFEST}; {advice}."


def _model_folder_around(path: Path) -> Path | None:
    """Return the model folder that a path lies in; None if there is none close by."""
    return next((folder for folder in list(path.parents)[:2] if (folder / MANIFEST).is_file()), None)


def _or_around(model: Path | None) -> str:
    return f" (the model folder around it is '{model}')" if model else ""


def make_manifest(
    folder: Path,
    names: Sequence[str],
    *,
    vocabulary: Mapping[str, str],
    plugins: Mapping[str, Sequence[Mapping[str, str]]],
    parameters: int,
    exported: str = "",
) -> Manifest:
    """Return the manifest of the files `names` in `folder`."""
    return Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        written=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            "nmt-lstm": nmt_lstm.__version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in LIBRARIES},
        },
        files={
            name: FileRecord(bytes=(folder / name).stat().st_size, sha256=sha256_of(folder / name))
            for name in names
        },
        vocabulary=dict(vocabulary),
        plugins={kind: [dict(record) for record in records] for kind, records in plugins.items()},
        parameters=parameters,
        exported=exported,
    )


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise ModelFolderError if a file of the manifest is missing or not the one that was written."""
    for name, record in manifest.files.items():
        path = folder / name
        if not _lies_inside(name):
            raise ModelFolderError(
                f"'{folder / MANIFEST}' names a file outside the folder: '{name}'; do not use it."
            )
        if not path.is_file():
            raise ModelFolderError(f"model folder '{folder}' lacks '{name}'; copy the whole folder again.")
        size = path.stat().st_size
        if size != record.bytes:
            changed = f"'{path}' was changed or truncated: it has {size:,} bytes, not {record.bytes:,}"
        elif sha256_of(path) != record.sha256:
            changed = f"'{path}' was changed: its SHA-256 is not the one in {MANIFEST}"
        else:
            continue
        raise ModelFolderError(f"{changed}; {_advice(path, record)}.")


def _lies_inside(name: str) -> bool:
    """Whether a name is that of a file in the folder, or below its copy of a plugin folder."""
    parts = PurePosixPath(name).parts
    plain = bool(parts) and "/".join(parts) == name and not {"..", "."} & set(parts)
    return plain and (len(parts) == 1 or name.startswith(COPY_PREFIX))


def _advice(path: Path, record: FileRecord) -> str:
    """Say what to do about a changed file: text files change by hand, or by a program that converts line endings."""
    if path.suffix in TEXT_SUFFIXES and _has_converted_line_ends(path, record):
        return "only its line endings were converted (CRLF): convert them back, for instance with: sed -i 's/\\r$//'"
    again = "copy the whole folder again, or wait if it is just being written"
    if path.name == RUN:
        return (
            f"a model keeps the settings that it was trained with: restore the file, and change the search with --set, such "
            f"as --set search.alpha=1.5; or {again}"
        )
    return again


def _has_converted_line_ends(path: Path, record: FileRecord) -> bool:
    try:
        content = read_regular(path)
    except OSError:
        return False
    return sha256_of_content(content.replace(b"\r\n", b"\n")) == record.sha256
