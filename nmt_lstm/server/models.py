"""The models that a server offers: their folders, names and languages, checked before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.config.load import load_model_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.server.languages import canonical, same_language
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.tags import tag_pieces

__all__ = ["ServedModel", "ServedModels", "served_models"]

_CODE = r"[A-Za-z]{2,8}(?:_[A-Za-z0-9]{2,8})*"
_PAIR = re.compile(rf"(?P<source>{_CODE})-(?P<target>{_CODE})=(?P<folder>.+)", re.DOTALL)


class ServedModel(NamedTuple):
    """A model.

    Attributes:
        name: by which requests may choose it, different from those of other models: that of its folder.
        folder: the model folder.
        source: code of the source language.
        target: code of the target language.
        beam_size: hypotheses of its search, and so the most different translations.
        tag: a piece in front of every line, for a model that translates in several directions.
    """

    name: str
    folder: Path
    source: str
    target: str
    beam_size: int
    tag: str = ""


class ServedModels:
    """The models of a server, in the order in which they were named.

    Args:
        models: at least one. The first of several for the same languages is the one that translates between them.
        arguments: by which they were named.
    """

    def __init__(self, models: Sequence[ServedModel], arguments: Sequence[str] = ()) -> None:
        self._arguments = tuple(arguments)
        self._models = tuple(models)
        self._by_name = {model.name: model for model in models}
        self._by_pair = {
            (canonical(model.source), canonical(model.target)): model for model in reversed(self._models)
        }

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    @property
    def first(self) -> ServedModel:
        """The first model."""
        return self._models[0]

    def named(self, name: str) -> ServedModel | None:
        """Return the model of that name, if there is one."""
        return self._by_name.get(name)

    def between(self, source: str, target: str) -> ServedModel | None:
        """Return the model that translates from one language into another, if there is one."""
        return self._by_pair.get((canonical(source), canonical(target)))

    def check(self) -> None:
        """Read the folders again.

        Raises:
            ModelFolderError: a folder is missing, damaged, or no longer that of a translation model.
            ConfigurationError: a model has other languages than before, by which clients know it.
        """
        if not self._arguments:
            return
        for model, now in zip(self, served_models(self._arguments), strict=True):
            if (canonical(model.source), canonical(model.target)) != (
                canonical(now.source),
                canonical(now.target),
            ):
                before, after = f"{model.source}-{model.target}", f"{now.source}-{now.target}"
                raise ConfigurationError(
                    f"the languages of '{model.folder}' were {before} and are now {after}; restart the server to serve it.",
                    key="--model",
                    path=model.folder,
                    value=after,
                )

    def languages(self) -> list[str]:
        """Return the codes of all languages, each once, source languages first."""
        codes: list[str] = []
        for code in (*(model.source for model in self), *(model.target for model in self)):
            if same_language(code, codes) is None:
                codes.append(code)
        return codes

    def targets(self, source: str) -> list[str]:
        """Return the codes of the languages into which a language is translated, sorted."""
        return sorted({model.target for model in self if canonical(model.source) == canonical(source)})


def served_models(arguments: Sequence[str]) -> ServedModels:
    """Return the models named by ``-m FOLDER``, ``-m builtin:en-ja``, ``-m de-en=FOLDER`` or ``-m "en-de=FOLDER#<2de>"``.

    Raises:
        ModelFolderError: a folder is missing, damaged, or not that of a translation model.
        ConfigurationError: a model is named twice, or its languages are not known.
    """
    models: list[ServedModel] = []
    for argument in arguments:
        model = _served_model(argument)
        if any(
            (model.folder.resolve(), model.tag) == (other.folder.resolve(), other.tag) for other in models
        ):
            raise ConfigurationError(
                f"-m '{argument}' is named twice; name each model once.", key="--model", value=argument
            )
        names = {other.name for other in models}
        name, number = model.name, 2
        while name in names:
            name, number = f"{model.name}-{number}", number + 1
        models.append(model._replace(name=name))
    return ServedModels(models, arguments)


def _served_model(argument: str) -> ServedModel:
    pair = _PAIR.fullmatch(argument)
    # A folder may have such a name itself.
    if pair is not None and Path(argument).exists():
        pair = None
    given, tag = pair["folder"] if pair is not None else argument, ""
    if pair is not None and "#" in given and not Path(given).exists():
        given, _, tag = given.rpartition("#")
    folder = model_path(given)
    Manifest.read(folder).check_task(folder, "translation")
    run = _run(folder)
    if tag:
        tag_pieces(Subwords.load(folder).source, tag)
    elif run.data.is_tagged:
        tags = run.data.tags()
        raise ConfigurationError(
            f"model '{given}' was trained with a tag in front of every line ({', '.join(tags)}); name languages and tag, such "
            f"as -m 'en-de={given}#{tags[0]}', once for each direction.",
            key="--model",
            value=argument,
            known=tags,
        )
    source, target = run.data.source_language, run.data.target_language
    if pair is not None:
        source, target = (pair[side].replace("_", "-") for side in ("source", "target"))
    missing = [side for side, code in (("source", source), ("target", target)) if not code]
    if missing:
        raise ConfigurationError(
            f"model '{given}' does not name its {' and '.join(missing)} language; write -m de-en={given} with the codes of "
            f"its languages, or set data.{missing[0]}_language when you train.",
            key="--model",
            value=argument,
        )
    if canonical(source) == canonical(target):
        raise ConfigurationError(
            f"model '{given}' translates from '{source}' to '{target}', which are the same language for clients; write "
            f"-m de-en={given} with the codes of its languages.",
            key="--model",
            value=argument,
        )
    name = folder.resolve().name if str(given) == str(folder) else str(given).rpartition(":")[2]
    return ServedModel(name, folder, source, target, run.search.beam_size, tag)


def _run(folder: Path) -> RunSettings:
    try:
        return load_model_run(folder / "run.toml")
    except ConfigurationError as problem:
        raise ModelFolderError(f"model folder '{folder}' cannot be read: {problem}", path=folder) from problem
