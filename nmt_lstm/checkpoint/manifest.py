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
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.corpora.builtin import model_name
from nmt_lstm.errors import ModelFolderError, WrongTaskError
from nmt_lstm.files.checksums import checked_json, sha256_of, sha256_of_content, without_checksum
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular

__all__ = ["FORMAT", "FORMAT_VERSION", "MANIFEST", "FileRecord", "Manifest", "check_files", "make_manifest"]

MANIFEST = "manifest.json"
RUN = "run.toml"
TRAINING_STATE = "checkpoints"
"""Name of the folder in a model folder where training keeps its checkpoints."""
FORMAT = "nmt-lstm model folder"
FORMAT_VERSION = 1
# Files that people read, and whose line ends git or an editor may convert.
TEXT_SUFFIXES = (".toml", ".json", ".py")
LIBRARIES = ("torch", "sentencepiece", "safetensors", "numpy", "pydantic")


class FileRecord(BaseModel):
    """Size and checksum of one file."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """The contents of ``manifest.json``."""

    model_config = ConfigDict(frozen=True)

    format: str
    format_version: int
    written: str
    """Time of writing, as ISO 8601 in UTC."""
    versions: dict[str, str]
    """Versions of nmt-lstm, Python and libraries that wrote the folder."""
    files: dict[str, FileRecord]
    vocabulary: dict[str, str]
    """Fingerprints of the "source" and "target" vocabularies."""
    plugins: dict[str, list[dict[str, str]]]
    """Records of the "cells" and "attentions" that the model consists of."""
    parameters: int
    """Number of trained values; shared ones are counted once."""
    task: str = "translation"
    """What the model is for: a name in `nmt_lstm.config.tasks.TASKS`."""
    exported: str = ""
    """Precision of the weights if the folder was exported for translation; empty for a trained model."""

    @staticmethod
    def read(folder: Path) -> Manifest:
        """Read the manifest of a model folder.

        Raises:
            ModelFolderError: the folder or its manifest is missing, damaged, from another program, or too new.
        """
        path = folder / MANIFEST
        if not folder.is_dir():
            raise ModelFolderError(_not_a_folder(folder), path=folder)
        try:
            values = parse_json(read_regular(path))
        except FileNotFoundError:
            raise ModelFolderError(_no_manifest(folder), path=folder) from None
        except OSError as problem:
            raise ModelFolderError(f"'{path}' cannot be read: {problem.strerror}.", path=path) from problem
        except ValueError as problem:
            raise _damaged(path, str(problem)) from problem
        kind, version = (
            values.get(key) if isinstance(values, dict) else None for key in ("format", "format_version")
        )
        if kind != FORMAT or not isinstance(version, int):
            raise ModelFolderError(
                f"'{path}' was written by another program: its format is {kind!r}, not '{FORMAT}'; "
                f"give a folder that nmt-lstm train -o wrote.",
                path=path,
            )
        # Before the fields are validated: those of a newer format may be different.
        if version > FORMAT_VERSION:
            versions = values.get("versions")
            writer = versions.get("nmt-lstm") if isinstance(versions, dict) else None
            raise ModelFolderError(
                f"'{folder}' has format version {version}, but this nmt-lstm ({nmt_lstm.__version__}) reads only up to "
                f"{FORMAT_VERSION}; install the version that wrote it, nmt-lstm {writer or '(unknown)'}.",
                path=folder,
            )
        try:
            return Manifest.model_validate(without_checksum(values))
        except ValidationError as problem:
            first = problem.errors()[0]
            raise _damaged(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from problem
        except ValueError as problem:
            raise _damaged(path, str(problem)) from problem

    def check_task(self, folder: Path, *tasks: TaskName) -> None:
        """Raise WrongTaskError, which names the right commands, unless the model is for one of the tasks."""
        if self.task in tasks:
            return
        known = next((task for name, task in TASKS.items() if name == self.task), None)
        if known is None:
            raise WrongTaskError(
                f"'{model_name(folder)}' is a model for '{self.task}', which this nmt-lstm ({nmt_lstm.__version__}) does not know; "
                f"install the version that wrote it.",
                folder,
                self.task,
            )
        commands = ", ".join(f"nmt-lstm {command}" for command in known.commands)
        needed = " or ".join(TASKS[task].model for task in tasks)
        raise WrongTaskError(
            f"'{model_name(folder)}' is {known.model}, to {known.purpose}, but {needed} is needed here. Commands for {known.model}: "
            f"{commands}.",
            folder,
            self.task,
        )

    def text(self) -> str:
        """Return the contents of the file, with a checksum of their own."""
        return checked_json(self.model_dump(mode="json"))


def _damaged(path: Path, reason: str) -> ModelFolderError:
    return ModelFolderError(f"'{path}' is damaged ({reason}); copy or train the model again.", path=path)


def _not_a_folder(path: Path) -> str:
    """Return the message for a path that is not a folder, with the folder that was probably meant."""
    model = _model_folder_around(path)
    if not path.exists():
        hint = f" (the model folder around it is '{model}')" if model else ""
        return f"model folder '{path}' does not exist{hint}; train one with: nmt-lstm train."
    if path.suffix in (".ckpt", ".safetensors") and path.parent.name == TRAINING_STATE:
        kind = "a checkpoint of a training run, not a model"
    else:
        kind = "a file, not a model folder"
    return f"'{path}' is {kind}; {_right_folder(model)}."


def _no_manifest(folder: Path) -> str:
    model = _model_folder_around(folder)
    return f"'{folder}' is not a model folder: it has no {MANIFEST}; {_right_folder(model)}."


def _right_folder(model: Path | None) -> str:
    return f"the model folder is '{model}'" if model else "give the folder that nmt-lstm train -o wrote"


def _model_folder_around(path: Path) -> Path | None:
    """Return the model folder that contains a path, directly or one level up; None if there is none."""
    return next((folder for folder in list(path.parents)[:2] if (folder / MANIFEST).is_file()), None)


def make_manifest(
    folder: Path,
    names: Sequence[str],
    *,
    vocabulary: Mapping[str, str],
    plugins: Mapping[str, Sequence[Mapping[str, str]]],
    parameters: int,
    task: TaskName = "translation",
    exported: str = "",
) -> Manifest:
    """Return a manifest of the files `names` in `folder`; the other arguments are fields of `Manifest`."""
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
        task=task,
        exported=exported,
    )


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise ModelFolderError if a file of the manifest is missing or has been modified."""
    for name, record in manifest.files.items():
        path = folder / name
        if not _lies_inside(name):
            raise ModelFolderError(
                f"'{folder / MANIFEST}' names a file outside the folder: '{name}'; do not use this model.",
                path=folder / MANIFEST,
            )
        if not path.is_file():
            raise ModelFolderError(
                f"'{name}' is missing from model folder '{folder}'; copy the whole folder again.", path=path
            )
        # The size first: it detects a truncated file without reading it.
        size = path.stat().st_size
        if size != record.bytes:
            problem = f"'{path}' was changed or truncated: it has {size:,} bytes, not {record.bytes:,}"
        elif sha256_of(path) != record.sha256:
            problem = f"'{path}' was changed: its SHA-256 does not match {MANIFEST}"
        else:
            continue
        raise ModelFolderError(f"{problem}; {_advice(path, record)}.", path=path)


def _lies_inside(name: str) -> bool:
    """Whether a name is that of a file in the folder or in its copy of a plugin folder."""
    parts = PurePosixPath(name).parts
    is_relative = bool(parts) and "/".join(parts) == name and not {"..", "."} & set(parts)
    return is_relative and (len(parts) == 1 or name.startswith(COPY_PREFIX))


def _advice(path: Path, record: FileRecord) -> str:
    """Return advice about a modified file: text files are edited by hand, or converted by other programs."""
    if path.suffix in TEXT_SUFFIXES and _has_converted_line_ends(path, record):
        return "only its line endings were converted (CRLF): convert them back, for example with: sed -i 's/\\r$//'"
    advice = "copy the whole folder again, or wait if it is being written now"
    if path.name == RUN:
        return (
            f"the settings of a trained model cannot be edited: restore the file, and change search settings with --set, "
            f"such as --set search.alpha=1.5; or {advice}"
        )
    return advice


def _has_converted_line_ends(path: Path, record: FileRecord) -> bool:
    try:
        content = read_regular(path)
    except OSError:
        return False
    return sha256_of_content(content.replace(b"\r\n", b"\n")) == record.sha256
