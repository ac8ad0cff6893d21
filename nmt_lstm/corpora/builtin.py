"""The built-in corpus and models: in the installed package, or beside it in a source tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nmt_lstm.errors import DataError, ModelFolderError, nearest

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = [
    "BUILTIN_MODELS",
    "PREFIX",
    "BuiltinModel",
    "builtin_corpus_folder",
    "model_name",
    "model_path",
    "with_builtin_pieces",
]

PACKAGE = Path(__file__).resolve().parent.parent
PREFIX = "builtin:"
_FOLDERS = ("model", "trained")  # of each built-in model: exported, and as it was trained


class BuiltinModel(NamedTuple):
    """A trained model that comes with the package."""

    name: str
    """Its name, given as ``builtin:NAME`` instead of a model folder."""
    source: str
    """Source language."""
    target: str
    """Target language."""
    corpus: str
    """Folder of its corpus."""
    about: str
    """A short description of its training text."""
    example: str
    """A sentence that it can translate."""

    @property
    def path(self) -> Path:
        """Its model folder.

        Raises:
            DataError: it is missing from this installation.
        """
        return _corpus_folder(self.corpus) / _FOLDERS[0]

    @property
    def trained_path(self) -> Path:
        """The model folder that `path` was exported from; it loads more slowly, but its weights can be inspected.

        Raises:
            DataError: it is missing from this installation.
        """
        return _corpus_folder(self.corpus) / _FOLDERS[1]


BUILTIN_MODELS = {
    model.name: model
    for model in (
        BuiltinModel(
            name="en-ja",
            source="English",
            target="Japanese",
            corpus="builtin_enja",
            about="11,000 sentences of a made-up grammar with few words",
            example="The young nurse read two books at the library yesterday.",
        ),
    )
}


def builtin_corpus_folder() -> Path:
    """Return the folder of the built-in English-Japanese corpus.

    Raises:
        DataError: it is missing from this installation.
    """
    return _corpus_folder("builtin_enja")


def model_path(model: str | Path, *, trained: bool = False) -> Path:
    """Return the folder of a model given by its path or as ``builtin:NAME``.

    Args:
        model: the path or the name. A path may also be the one that a name stands for.
        trained: for a built-in model, return the folder with the trained weights instead of the exported one.

    Raises:
        ModelFolderError: there is no built-in model of that name, or the name lacks ``builtin:``.
        DataError: it is missing from this installation.
    """
    name = str(model)
    known = [f"{PREFIX}{builtin}" for builtin in BUILTIN_MODELS]
    if not name.startswith(PREFIX):
        if name in (PREFIX.removesuffix(":"), *BUILTIN_MODELS) and not Path(model).exists():
            suggestion = f"{PREFIX}{name}" if name in BUILTIN_MODELS else known[0]
            raise ModelFolderError(
                f"model folder '{name}' does not exist. Did you mean '{suggestion}'? Built in: {', '.join(known)}.",
                path=Path(model),
            )
        exported = next(
            (each for each in BUILTIN_MODELS.values() if trained and each.path == Path(model)), None
        )
        return Path(model) if exported is None else exported.trained_path
    builtin_model = BUILTIN_MODELS.get(name.removeprefix(PREFIX))
    if builtin_model is None:
        raise ModelFolderError(
            f"there is no built-in model '{name}'.{nearest(name, known)} Built in: {', '.join(known)}."
        )
    return builtin_model.trained_path if trained else builtin_model.path


def model_name(folder: str | Path) -> str:
    """Return how messages name a model folder: ``builtin:NAME`` for that of a built-in model, otherwise its path."""
    path = Path(folder)
    if path.name in _FOLDERS and path.is_relative_to(PACKAGE.parent):
        for builtin in BUILTIN_MODELS.values():
            if path in (builtin.path, builtin.trained_path):
                return f"{PREFIX}{builtin.name}"
    return str(folder)


def _corpus_folder(name: str) -> Path:
    candidates = (PACKAGE / "corpora" / name, PACKAGE.parent / "data" / name)
    for folder in candidates:
        if (folder / "train.en").exists():
            return folder
    raise DataError(
        f"the built-in corpus is missing from '{candidates[0]}'; reinstall nmt-lstm.", path=candidates[0]
    )


def with_builtin_pieces(run: RunSettings) -> RunSettings:
    """Return the settings with the folder of the built-in model that `subwords.model` may name.

    Raises:
        ModelFolderError: there is no such built-in model.
    """
    model = run.subwords.model
    if model is None or not str(model).startswith(PREFIX):
        return run
    subwords = run.subwords.model_copy(update={"model": model_path(model)})
    return run.model_copy(update={"subwords": subwords})
