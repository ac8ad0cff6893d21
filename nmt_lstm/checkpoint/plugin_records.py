"""The plugins that a model folder records: the origin of each, and copies of those that are files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata as distributions
from pathlib import Path
from typing import Any

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ModelFolderError, PluginError, UntrustedPluginError
from nmt_lstm.registry import (
    ATTENTIONS,
    CELLS,
    ENCODERS,
    PluginContents,
    Registry,
    load_plugin_file,
    read_contents,
)
from nmt_lstm.registry.provenance import is_installed, trust_folder

__all__ = [
    "COPY_PREFIX",
    "PluginChange",
    "PluginRecord",
    "changed_plugins",
    "classes_without_copy",
    "needs_trust",
    "plugin_digests",
    "plugin_records",
    "require_plugins",
    "run_copies",
    "warn_of_versions",
]

COPY_PREFIX = "plugin."
PluginRecord = dict[str, str]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PluginChange:
    """A part that differs from its copy in a model folder."""

    kind: str
    """The kind of part: "cell", "attention" or "encoder"."""
    name: str
    copy: Path
    """The copy in the model folder."""
    difference: str
    """The first difference."""


def plugin_records(run: RunSettings) -> tuple[dict[str, list[PluginRecord]], dict[str, bytes]]:
    """Return the records of a run's cells, attention and encoder, and the files to copy, by their paths in the model folder.

    The copies are what was loaded, even if the files have changed since.
    """
    names: dict[str, PluginContents] = {}
    records: dict[str, list[PluginRecord]] = {}
    # Several parts may come from one file, which is copied once.
    for kind, registry, parts in _used(run):
        records[kind] = [registry.record(part) for part in parts]
        for record in records[kind]:
            contents = registry.plugin_contents(record["name"])
            if contents is not None:
                record["file"] = _copy_name(contents, names)
    copies = {
        f"{name}/{file}" if contents.is_package else name: text
        for name, contents in names.items()
        for file, text in contents.files.items()
    }
    return records, copies


def plugin_digests(run: RunSettings) -> dict[str, str]:
    """Return the SHA-256 of each plugin file or folder that a run uses, by the kind and the name of the part."""
    digests = {}
    for _, registry, parts in _used(run):
        for part in parts:
            contents = registry.plugin_contents(part)
            if contents is not None:
                digests[f"{registry.kind} {part}"] = contents.digest
    return digests


def needs_trust(folder: Path, records: Mapping[str, list[PluginRecord]]) -> bool:
    """Whether loading a model folder requires trust in its plugins: copies of files, or classes from anywhere.

    Args:
        folder: the model folder.
        records: the records in its manifest.
    """
    has_copies = any(record.get("file") for _, _, record in _each(records))
    return has_copies or bool(classes_without_copy(folder, records))


def classes_without_copy(folder: Path, records: Mapping[str, list[PluginRecord]]) -> list[str]:
    """Return the classes ``package.module:Class`` of a model that neither its folder nor a distribution provides.

    Args:
        folder: the model folder.
        records: the records in its manifest.
    """
    names = [record["name"] for _, _, record in _each(records) if not record.get("file")]
    return [name for name in dict.fromkeys(names) if ":" in name and not is_installed(name, folder)]


def run_copies(folder: Path, records: Mapping[str, list[PluginRecord]]) -> list[Path]:
    """Run a model folder's copies of plugin files whose names are not registered, and return those that ran.

    Only for trusted folders, since a copy is a program. The classes that the folder names may then be imported, too.

    Args:
        folder: the model folder.
        records: the records in its manifest.

    Raises:
        PluginError: a copy cannot be loaded.
    """
    trust_folder(folder)
    executed = []
    for _, registry, record in _each(records):
        copy = _copy_path(folder, record)
        if copy is not None and record["name"] not in registry.names():
            load_plugin_file(str(copy))
            executed.append(copy)
    return executed


def require_plugins(
    folder: Path, records: Mapping[str, list[PluginRecord]], *, trust_plugins: bool = False
) -> None:
    """Check that the plugins of a model folder are available; warn of those that differ from the training.

    Args:
        folder: the model folder.
        records: the records in its manifest.
        trust_plugins: run the folder's copies of plugin files whose names are not registered.

    Raises:
        ModelFolderError: a plugin is missing; the message says what to install or load.
        UntrustedPluginError: the folder names a class that no installed distribution provides.
    """
    if trust_plugins:
        run_copies(folder, records)
    for kind, registry, record in _each(records):
        copy = _copy_path(folder, record)
        if copy is not None and record["name"] not in registry.names():
            raise ModelFolderError(
                f"model folder '{folder}': the model needs the {kind} '{record['name']}', which was loaded from a file. "
                f"Load that file with --plugin; or inspect its copy, {copy}, and run it with --trust-plugins.",
                path=folder,
            )
        try:
            registry.require(record)
        except UntrustedPluginError:
            raise
        except PluginError as problem:
            raise ModelFolderError(f"model folder '{folder}': {problem}", path=folder) from problem
    warn_of_versions(records)
    for change in changed_plugins(folder, records):
        logger.warning(
            "the %s '%s' differs from the one that the model was trained with: %s. To use the copy %s, replace --plugin with "
            "--trust-plugins.",
            change.kind, change.name, change.difference, change.copy,
        )  # fmt: skip


def changed_plugins(folder: Path, records: Mapping[str, list[PluginRecord]]) -> list[PluginChange]:
    """Return the parts whose plugin files differ from the copies in a model folder.

    Args:
        folder: the model folder.
        records: the records in its manifest.

    Raises:
        PluginError: a copy cannot be read.
    """
    changes = []
    for kind, registry, record in _each(records):
        copy = _copy_path(folder, record)
        if copy is None or record["name"] not in registry.names():
            continue
        loaded = registry.plugin_contents(record["name"])
        if loaded is None:
            difference = f"it was loaded from a file, but is now {registry.record(record['name'])['target']}"
        else:
            trained = read_contents(copy)
            difference = loaded.difference(trained)
            if difference:
                difference += f" (SHA-256 {loaded.digest[:12]} instead of {trained.digest[:12]})"
        if difference:
            changes.append(PluginChange(kind, record["name"], copy, difference))
    return changes


def warn_of_versions(records: Mapping[str, list[PluginRecord]]) -> None:
    """Warn of plugins whose installed version differs from the one that a model was trained with."""
    for _, _, record in _each(records):
        name, version = record.get("distribution", ""), record.get("version", "")
        if not name or name == "nmt-lstm":  # versions of nmt-lstm read each other's models
            continue
        try:
            installed = distributions.version(name)
        except distributions.PackageNotFoundError:
            continue
        if installed != version:
            logger.warning("the model was trained with %s %s, but %s is installed.", name, version, installed)


def _each(records: Mapping[str, list[PluginRecord]]) -> Iterator[tuple[str, Registry, PluginRecord]]:
    for key, registry in (("cells", CELLS), ("attentions", ATTENTIONS), ("encoders", ENCODERS)):
        for record in records.get(key, []):
            yield registry.kind, registry, record


def _copy_path(folder: Path, record: PluginRecord) -> Path | None:
    """Return the path of the copy of a plugin file; None if there is none. It is always inside the folder."""
    return folder / Path(record["file"]).name if record.get("file") else None


def _used(run: RunSettings) -> Iterator[tuple[str, Registry, list[str]]]:
    encoder, decoder = run.model.encoder, run.model.decoder
    if encoder.is_recurrent:
        names = [*_with_inner(encoder.cell, encoder.cell_options)]
    else:
        names = [*_inner(encoder.options)]
    names += _with_inner(decoder.cell, decoder.cell_options)
    yield "cells", CELLS, list(dict.fromkeys(names))
    yield "attentions", ATTENTIONS, [run.model.attention.name]
    yield "encoders", ENCODERS, [encoder.name]


def _with_inner(cell: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the name of a cell and of the cells it wraps, which are its options `cell` and `cell_options`."""
    yield cell
    yield from _inner(options)


def _inner(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the cells that a part is made of, according to its options `cell` and `cell_options`."""
    inner, inner_options = options.get("cell"), options.get("cell_options")
    if isinstance(inner, str) and (":" in inner or inner in CELLS.names()):
        yield from _with_inner(inner, inner_options if isinstance(inner_options, dict) else {})


def _copy_name(contents: PluginContents, names: dict[str, PluginContents]) -> str:
    """Return the name of a plugin's copy and add it to `names`; different plugins of one name are numbered."""
    # A plugin that was loaded from a copy in a model folder already has the prefix.
    stem = contents.path.name.removeprefix(COPY_PREFIX).removesuffix(".py")
    suffix = "" if contents.is_package else ".py"
    number = 1
    while True:
        name = f"{COPY_PREFIX}{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        if names.setdefault(name, contents) == contents:
            return name
        number += 1
