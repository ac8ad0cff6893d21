"""Checks of the folders that commands write into, before anything is read or computed; without torch, as `early_checks`."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.files.folders import check_writable

__all__ = ["check_export_folder", "check_folder_path", "check_import_folder", "check_training_folder"]


def check_training_folder(folder: Path, *, resume: bool) -> None:
    """Check that a training run may write to a folder.

    Skipped in a process that may be one of several: which one is first, and writes, is not known yet.

    Raises:
        ConfigurationError: the folder already has a training run, and `resume` is false.
        FolderInUseError: another process is training into it.
        ModelFolderError: it has unrelated files.
        ResourceError: it cannot be created or written into.
    """
    from nmt_lstm.training.launch import may_be_one_of_several
    from nmt_lstm.training.output_folder import check_not_held
    from nmt_lstm.training.output_folder import check_output as check_folder

    if not may_be_one_of_several():
        check_not_held(folder)
        check_folder(folder, resume=resume)
        check_writable(folder)


def check_import_folder(output: Path, model: Path, *, overwrite: bool) -> None:
    """Check that an imported model may be written to a folder.

    Raises:
        ConfigurationError: it has a model and `overwrite` is false, or it has the model to be imported.
        FolderInUseError: a process is training into it.
        ModelFolderError: it has unrelated files.
        ResourceError: it cannot be created or written into.
    """
    from nmt_lstm.checkpoint.folder_files import check_output_folder
    from nmt_lstm.checkpoint.manifest import MANIFEST
    from nmt_lstm.training.output_folder import check_not_held, has_checkpoint

    if output.exists() and model.exists() and output.samefile(model if model.is_dir() else model.parent):
        raise ConfigurationError(
            f"-o '{output}' is the folder of the model itself; choose a different folder."
        )
    check_output_folder(output)
    check_not_held(output)
    if has_checkpoint(output):
        raise ConfigurationError(f"-o '{output}' has a training run; choose a different folder.")
    if (output / MANIFEST).exists() and not overwrite:
        raise ConfigurationError(
            f"-o '{output}' already has a model; replace it with --overwrite, or choose a different folder."
        )
    check_writable(output)


def check_export_folder(output: Path, model: Path, *, overwrite: bool) -> None:
    """Check that a model may be exported to a folder.

    Raises:
        ConfigurationError: it has a trained model, or an exported one and `overwrite` is false.
        FolderInUseError: a process is training into it.
        ModelFolderError: it has unrelated files.
        ResourceError: it cannot be created or written into.
    """
    from nmt_lstm.checkpoint.folder_files import check_output_folder
    from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.training.output_folder import check_not_held, has_checkpoint

    if output.exists() and output.samefile(model_path(model)):
        raise ConfigurationError(f"-o '{output}' is the trained model itself; choose a different folder.")
    check_output_folder(output)
    check_not_held(output)
    has_model = (output / MANIFEST).exists()
    if has_checkpoint(output) or (has_model and not Manifest.read(output).exported):
        raise ConfigurationError(f"-o '{output}' has a trained model; choose a different folder.")
    if has_model and not overwrite:
        raise ConfigurationError(
            f"-o '{output}' already has an exported model; replace it with --overwrite, or choose a different folder."
        )
    check_writable(output)


def check_folder_path(folder: Path) -> None:
    """Check that a folder can be created, or be written into.

    Raises:
        ConfigurationError: a file has the name of the folder or of one of its parents.
        ResourceError: it cannot be created or written into.
    """
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise ConfigurationError(
                f"-o '{folder}' cannot be a folder: '{path}' is a file; choose a different name."
            )
    check_writable(folder)
