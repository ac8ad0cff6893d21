"""The plugins of a model as its folder keeps them: where each is from, and a copy of those that are one file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib import metadata as distributions
from pathlib import Path
from typing import Any

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ModelFolderError, PluginError
from nmt_lstm.registry import ATTENTIONS, CELLS, Registry, load_plugin_file

__all__ = ["COPY_PREFIX", "PluginRecord", "has_copies", "plugin_records", "require_plugins", "run_copies"]

COPY_PREFIX = "plugin."
PluginRecord = dict[str, str]

logger = logging.getLogger(__name__)


def plugin_records(run: RunSettings) -> tuple[dict[str, list[PluginRecord]], dict[str, Path]]:
    """Return the records of the run's cells and attention, and the plugin files to copy, by the names of the copies."""
    copies: dict[str, Path] = {}
    records: dict[str, list[PluginRecord]] = {}
    for kind, registry, names in _used(run):
        records[kind] = [registry.record(name) for name in names]
        for record in records[kind]:
            file = registry.plugin_file(record["name"])
            if file is not None:
                record["file"] = _copy_name(file, copies)
    return records, copies


def has_copies(folder: Path) -> bool:
    """Whether a model folder keeps copies of plugin files, which are run only for those who trust them."""
    return any(folder.glob(f"{COPY_PREFIX}*"))


def run_copies(folder: Path, records: Mapping[str, list[PluginRecord]]) -> list[Path]:
    """Run a model folder's copies of plugin files where nothing else brings their names, and return those that ran.

    Only for folders that are trusted: a copy is a program.

    Args:
        folder: the model folder.
        records: as its manifest has them.

    Raises:
        PluginError: a copy cannot be loaded.
    """
    ran = []
    for _, registry, record in _each(records):
        copy = _copy(folder, record)
        if copy is not None and record["name"] not in registry.names():
            load_plugin_file(str(copy))
            ran.append(copy)
    return ran


def require_plugins(
    folder: Path, records: Mapping[str, list[PluginRecord]], *, trust_plugins: bool = False
) -> None:
    """Make sure that the plugins of a model folder are there; warn of those in another version.

    Args:
        folder: the model folder.
        records: as its manifest has them.
        trust_plugins: run the copies of plugin files in the folder where nothing else brings their names.

    Raises:
        ModelFolderError: a plugin is missing; the message says what to install or to name.
    """
    if trust_plugins:
        run_copies(folder, records)
    for kind, registry, record in _each(records):
        copy = _copy(folder, record)
        if copy is not None and record["name"] not in registry.names():
            raise ModelFolderError(
                f"model folder '{folder}': the model needs the {kind} '{record['name']}', which was loaded from a file. "
                f"Name that file with --plugin; or read its copy in the folder, {copy}, and run that with --trust-plugins."
            )
        try:
            registry.require(record)
        except PluginError as problem:
            raise ModelFolderError(f"model folder '{folder}': {problem}") from problem
        _compare_version(record)


def _each(records: Mapping[str, list[PluginRecord]]) -> Iterator[tuple[str, Registry, PluginRecord]]:
    for key, registry in (("cells", CELLS), ("attentions", ATTENTIONS)):
        for record in records.get(key, []):
            yield registry.kind, registry, record


def _copy(folder: Path, record: PluginRecord) -> Path | None:
    """Return where the folder's copy of a plugin file is; a name from outside leads nowhere else."""
    return folder / Path(record["file"]).name if record.get("file") else None


def _used(run: RunSettings) -> Iterator[tuple[str, Registry, list[str]]]:
    sides = run.model.encoder, run.model.decoder
    names = [name for side in sides for name in _with_inner(side.cell, side.cell_options)]
    yield "cells", CELLS, list(dict.fromkeys(names))
    yield "attentions", ATTENTIONS, [run.model.attention.name]


def _with_inner(cell: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield a cell's name, and that of the cell it wraps: its options `cell` and `cell_options`."""
    yield cell
    inner, inner_options = options.get("cell"), options.get("cell_options")
    if isinstance(inner, str) and (":" in inner or inner in CELLS.names()):
        yield from _with_inner(inner, inner_options if isinstance(inner_options, dict) else {})


def _copy_name(file: Path, copies: dict[str, Path]) -> str:
    """Return the name of the file's copy, entered into `copies`; other files of the same name get a number."""
    number = 1
    while True:
        name = f"{COPY_PREFIX}{file.stem}{'' if number == 1 else f'-{number}'}.py"
        if copies.setdefault(name, file) == file:
            return name
        number += 1


def _compare_version(record: Mapping[str, str]) -> None:
    """Warn if a plugin's version is not the one that the model was trained with."""
    name, trained = record.get("distribution", ""), record.get("version", "")
    if not name or name == "nmt-lstm":  # our own versions read each other's models
        return
    try:
        installed = distributions.version(name)
    except distributions.PackageNotFoundError:
        return
    if installed != trained:
        logger.warning("the model was trained with %s %s, but %s is installed.", name, trained, installed)
