"""Checks of what was typed that need no torch, which takes seconds to import: they come first in every command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.lines import check_output

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings, SearchSettings

__all__ = [
    "check_files",
    "check_models",
    "check_names",
    "check_output",
    "check_search",
    "check_training_folder",
]


def check_models(folders: Sequence[Path], device: str = "auto") -> None:
    """Refuse folders that are not models, a model that is named twice, and unknown device names.

    Raises:
        ModelFolderError: a folder is missing, or its manifest is missing, damaged or too new.
        ConfigurationError: there is no such device name, or a model is twice in an ensemble.
    """
    from nmt_lstm.checkpoint.manifest import Manifest
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.errors import ConfigurationError
    from nmt_lstm.numerics.device import check_device_name

    check_device_name(device)
    named: set[Path] = set()
    for folder in folders:
        path = model_path(folder)
        Manifest.read(path)
        if path.resolve() in named:
            raise ConfigurationError(
                f"-m '{folder}' is named twice; an ensemble of a model with itself translates as the model alone, only "
                f"slower."
            )
        named.add(path.resolve())


def check_search(folders: Sequence[Path], overrides: Sequence[str] | None) -> SearchSettings:
    """Return the settings by which the models of `folders` will search: the first one's, with changes of ``--set``.

    Raises:
        ConfigurationError: a change is of something else, or wrong.
        ModelFolderError: the first folder has no run file that can be read.
    """
    from nmt_lstm.config.load import load_model_run, search_settings
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.errors import ConfigurationError, ModelFolderError

    folder = model_path(folders[0])
    try:
        run = load_model_run(folder / "run.toml")
    except ConfigurationError as problem:
        raise ModelFolderError(f"model folder '{folder}' cannot be read: {problem}") from problem
    return search_settings(run, overrides or [])


def check_files(*paths: Path | None, reread: bool = False) -> None:
    """Refuse input files that are not there, without opening a pipe.

    Args:
        paths: None and '-' are not checked.
        reread: whether the text is read more than once, so that pipes are refused.

    Raises:
        DataError: a file is missing or cannot be read.
    """
    from nmt_lstm.text.corpus import check_rereadable, open_bytes

    for path in paths:
        if path is None or str(path) == "-":
            continue
        if reread:
            check_rereadable(path)
        if path.is_file() or path.is_dir() or not path.exists():
            open_bytes(path).close()


def check_names(run: RunSettings) -> None:
    """Refuse names of cells and attentions that no installed distribution and no plugin file has; loads no class.

    Raises:
        PluginError: the message names what is known.
    """
    from nmt_lstm.registry import ATTENTIONS, CELLS

    for registry, names in (
        (CELLS, (run.model.encoder.cell, run.model.decoder.cell)),
        (ATTENTIONS, (run.model.attention.name,)),
    ):
        known = registry.names()
        for name in names:
            if ":" not in name and name not in known:
                registry.get(name)


def check_training_folder(folder: Path, *, resume: bool) -> None:
    """Refuse a folder into which a training would not write; of several processes, which one is first is not known yet.

    Raises:
        ConfigurationError: there is a training in it already, and `resume` is off.
        FolderInUseError: another process trains into it.
        ModelFolderError: it holds other files.
    """
    from nmt_lstm.training.launch import may_be_one_of_several
    from nmt_lstm.training.output_folder import check_not_held
    from nmt_lstm.training.output_folder import check_output as check_folder

    if not may_be_one_of_several():
        check_not_held(folder)
        check_folder(folder, resume=resume)


def check_export_folder(output: Path, model: Path, *, overwrite: bool) -> None:
    """Refuse a folder into which a model would not be exported.

    Raises:
        ConfigurationError: it is the model's own, holds a trained model, or an exported one and `overwrite` is off.
        FolderInUseError: a process trains into it.
        ModelFolderError: it holds other files.
    """
    from nmt_lstm.checkpoint.folder_files import check_output_folder
    from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.errors import ConfigurationError
    from nmt_lstm.training.output_folder import check_not_held, checkpoint_path

    if output.exists() and output.samefile(model_path(model)):
        raise ConfigurationError(f"-o '{output}' is the trained model itself; name another folder.")
    check_output_folder(output)
    check_not_held(output)
    written = (output / MANIFEST).exists()
    if checkpoint_path(output).exists() or (written and not Manifest.read(output).exported):
        raise ConfigurationError(f"-o '{output}' holds a trained model; choose a different folder.")
    if written and not overwrite:
        raise ConfigurationError(
            f"there is an exported model in '{output}' already; replace it with --overwrite, or choose a different "
            f"folder with -o."
        )


def check_report_folder(folder: Path) -> None:
    """Raise ConfigurationError where a folder is to be written and a file has its name, or a folder above it."""
    from nmt_lstm.errors import ConfigurationError

    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise ConfigurationError(
                f"-o '{folder}' cannot be a folder: '{place}' is a file; choose another."
            )


def check_cells(names: Sequence[str]) -> None:
    """Refuse cells such as those of ``--cells`` that no distribution has: "lstm", "lstm:forget_bias=5"; loads no class.

    Raises:
        PluginError: the message names what is known.
    """
    from nmt_lstm.registry import CELLS

    known = CELLS.names()
    for text in names:
        name, colon, options = text.partition(":")
        of_module = colon and "=" not in options  # package.module:Class
        if not of_module and name not in known:
            CELLS.get(name)
