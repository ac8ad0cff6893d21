"""Where the built-in corpus and the built-in models are: in the installed package, or beside it in a working copy."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nmt_lstm.errors import DataError, ModelFolderError, nearest

__all__ = ["BUILTIN_MODELS", "PREFIX", "BuiltinModel", "builtin_corpus_folder", "model_path"]

PACKAGE = Path(__file__).resolve().parent.parent
PREFIX = "builtin:"


class BuiltinModel(NamedTuple):
    """A trained model that comes with the package."""

    name: str
    """After ``builtin:``, where a model folder is asked for."""
    source: str
    """Source language."""
    target: str
    """Target language."""
    corpus: str
    """Folder of its corpus."""
    about: str
    """What it was trained on, in a few words."""
    example: str
    """A sentence that it can translate."""

    @property
    def path(self) -> Path:
        """Its model folder.

        Raises:
            DataError: this installation lacks it.
        """
        return _corpus_folder(self.corpus) / "model"

    @property
    def trained_path(self) -> Path:
        """The model folder that `path` was exported from: slower to load, but its weights can be looked into.

        Raises:
            DataError: this installation lacks it.
        """
        return _corpus_folder(self.corpus) / "trained"


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
        DataError: this installation lacks it.
    """
    return _corpus_folder("builtin_enja")


def model_path(model: str | Path, *, trained: bool = False) -> Path:
    """Return the folder of a model that is named by its folder, or as ``builtin:NAME``.

    Args:
        model: the name.
        trained: of a built-in model, return the folder with the weights as trained, not the exported one.

    Raises:
        ModelFolderError: there is no built-in model of that name, or the name lacks ``builtin:``.
        DataError: this installation lacks it.
    """
    name = str(model)
    known = [f"{PREFIX}{each}" for each in BUILTIN_MODELS]
    if not name.startswith(PREFIX):
        if name in (PREFIX.removesuffix(":"), *BUILTIN_MODELS) and not Path(model).exists():
            meant = f"{PREFIX}{name}" if name in BUILTIN_MODELS else known[0]
            raise ModelFolderError(
                f"model folder '{name}' does not exist. Did you mean '{meant}'? Built in: {', '.join(known)}."
            )
        return Path(model)
    chosen = BUILTIN_MODELS.get(name.removeprefix(PREFIX))
    if chosen is None:
        raise ModelFolderError(
            f"there is no built-in model '{name}'.{nearest(name, known)} Built in: {', '.join(known)}."
        )
    return chosen.trained_path if trained else chosen.path


def _corpus_folder(name: str) -> Path:
    places = (PACKAGE / "corpora" / name, PACKAGE.parent / "data" / name)
    for place in places:
        if (place / "train.en").exists():
            return place
    raise DataError(f"The built-in corpus is not in '{places[0]}'. Install nmt-lstm again.")
