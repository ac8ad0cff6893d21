"""The toolkits whose models can be imported: the one table of their names, from which the command and the documentation read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.checkpoint.manifest import MANIFEST
from nmt_lstm.corpora.builtin import PREFIX
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.importing.eole import import_eole, is_eole
from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.imported_model import ImportedModel
from nmt_lstm.importing.joeynmt import import_joeynmt, is_joeynmt
from nmt_lstm.importing.marian import import_marian, is_marian
from nmt_lstm.importing.opennmt import import_opennmt, is_opennmt

__all__ = ["TOOLKITS", "Toolkit", "import_model", "toolkit_of"]


MAX_NAMES = 5
"""Most files that a message lists."""


class Toolkit(NamedTuple):
    """One toolkit."""

    recognises: Callable[[Path], bool]
    """Whether a path is a model of this toolkit, as far as names of files tell."""
    convert: Callable[[Path, Sequence[Path]], ImportedModel]
    """Reads the model at a path, with vocabularies that it does not contain."""
    expected: str
    """What the path of a model is."""


TOOLKITS: Mapping[str, Toolkit] = {
    "marian": Toolkit(is_marian, import_marian, "a file of weights, model.npz"),
    "opennmt": Toolkit(is_opennmt, import_opennmt, "a checkpoint, model_step_N.pt"),
    "eole": Toolkit(is_eole, import_eole, "a folder, step_N, with config.json, vocab.json and weights"),
    "joeynmt": Toolkit(
        is_joeynmt, import_joeynmt, "the folder of a training run, with config.yaml and best.ckpt"
    ),
}


def import_model(path: Path, *, toolkit: str = "", vocabularies: Sequence[Path] = ()) -> ImportedModel:
    """Read a model of another toolkit.

    Args:
        path: its file or folder.
        toolkit: a name in `TOOLKITS`; by default the one whose files these are.
        vocabularies: vocabularies or SentencePiece models that the files do not contain: one for both sides, or source and
            target.

    Raises:
        ConfigurationError: the toolkit is unknown.
        ImportingError: the model cannot be read, or has parts that cannot be expressed; the message lists all of them.
    """
    if toolkit and toolkit not in TOOLKITS:
        raise ConfigurationError(
            f"unknown toolkit '{toolkit}'.{nearest(toolkit, TOOLKITS)} Known: {', '.join(TOOLKITS)}.",
            value=toolkit,
            known=TOOLKITS,
        )
    if (path / MANIFEST).is_file() or str(path).startswith(PREFIX):
        raise DamagedSourceError(
            f"'{path}' is a model of nmt-lstm; there is nothing to import, use it with -m.", path=path
        )
    if not path.exists():
        raise DamagedSourceError(f"'{path}' does not exist.", path=path)
    if not toolkit:
        path = _model_in(path)
    chosen = TOOLKITS[toolkit or toolkit_of(path)]
    if not chosen.recognises(path):
        raise DamagedSourceError(
            f"'{path}' is not a model of {toolkit}; give {chosen.expected}.", path=path, value=toolkit
        )
    return chosen.convert(path, vocabularies)


def _model_in(path: Path) -> Path:
    """Return the only file of weights in a folder that is not a model itself; otherwise the path.

    Raises:
        DamagedSourceError: there are several such files.
    """
    if not path.is_dir() or any(toolkit.recognises(path) for toolkit in TOOLKITS.values()):
        return path
    models = sorted(
        file for file in path.iterdir() if any(toolkit.recognises(file) for toolkit in TOOLKITS.values())
    )
    if len(models) > 1:
        names = ", ".join(file.name for file in models[:MAX_NAMES]) + ", ..." * (len(models) > MAX_NAMES)
        raise DamagedSourceError(
            f"'{path}' has several models; name one of them: {names}.", path=path, known=map(str, models)
        )
    return models[0] if models else path


def toolkit_of(path: Path) -> str:
    """Return the name of the toolkit that wrote a model.

    Raises:
        DamagedSourceError: none of them did.
    """
    for name, toolkit in TOOLKITS.items():
        if toolkit.recognises(path):
            return name
    expected = "".join(f"\n  {name}: {toolkit.expected}" for name, toolkit in TOOLKITS.items())
    raise DamagedSourceError(
        f"'{path}' is not a model that can be imported. A model is:{expected}", path=path, known=TOOLKITS
    )
