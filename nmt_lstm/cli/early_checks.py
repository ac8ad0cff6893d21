"""Checks of the arguments that need no torch, whose import takes seconds; every command begins with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.lines import check_beginning, check_output
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.errors import ConfigurationError, ModelFolderError

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings, SearchSettings
    from nmt_lstm.config.tasks import TaskName
    from nmt_lstm.inference.text_options import TextOptions
    from nmt_lstm.text.subwords import Subwords

__all__ = [
    "check_cells",
    "check_files",
    "check_keep_as",
    "check_language_model",
    "check_models",
    "check_names",
    "check_output",
    "check_search",
    "check_single",
    "check_tag",
    "check_task",
    "checked_search",
    "is_language_model",
    "task_of",
]


def check_models(folders: Sequence[Path], device: str = "auto", *, task: TaskName = "translation") -> None:
    """Check model folders, that they are for a task, and the name of a device.

    Raises:
        ModelFolderError: a folder is missing, its manifest is missing, damaged or too new, or the model is for a
            different task.
        ConfigurationError: the device name is unknown, or a model is named twice.
    """
    from nmt_lstm.checkpoint.manifest import Manifest
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.numerics.device import check_device_name

    check_device_name(device)
    paths: set[Path] = set()
    for folder in folders:
        path = model_path(folder)
        Manifest.read(path).check_task(path, task)
        if path.resolve() in paths:
            raise ConfigurationError(
                f"-m '{folder}' is named twice; an ensemble needs different models, so name each model once.",
                key="--model",
                value=folder,
            )
        paths.add(path.resolve())


def check_single(
    model: Path, device: str, task: TaskName, input_file: Path | None, output_file: Path | None
) -> None:
    """Check the arguments of a command that reads an input with one model, and writes an output.

    Raises:
        ConfigurationError: the device name is unknown, or standard input is closed.
        DataError: the input cannot be read, or the output cannot be written.
        ModelFolderError: the model is missing, damaged, or for a different task.
    """
    check_models([model], device, task=task)
    check_files(input_file)
    check_output(output_file, (input_file,))
    if input_file is None:
        check_stdin()


def check_language_model(
    folders: Sequence[Path], language_model: Path | None, weight: float | None = None
) -> None:
    """Check the language model of ``--lm`` beside the models of ``-m``, and ``--lm-weight``.

    Raises:
        ModelFolderError: its folder is missing, or its manifest is missing, damaged or too new.
        WrongTaskError: it is not a language model.
        ConfigurationError: its target pieces are different, or there is a weight without a language model.
    """
    from nmt_lstm.checkpoint.manifest import Manifest
    from nmt_lstm.checkpoint.shared_pieces import check_shared_pieces
    from nmt_lstm.corpora.builtin import model_path

    if language_model is not None:
        path, other = model_path(folders[0]), model_path(language_model)
        manifest = Manifest.read(other)
        manifest.check_task(other, "language-model")
        check_shared_pieces(path, Manifest.read(path), other, manifest)
    elif weight is not None:
        raise ConfigurationError(
            f"--lm-weight {weight} is for a language model; name its folder with --lm, or leave the weight out.",
            key="--lm-weight",
            value=weight,
        )


def is_language_model(folders: Sequence[Path]) -> bool:
    """Whether the first of some model folders contains a language model; see `task_of`."""
    return task_of(folders) == "language-model"


def task_of(folders: Sequence[Path]) -> str:
    """Return the task of the first of some model folders; empty if there is none, which `check_models` reports.

    Raises:
        ModelFolderError: its manifest is damaged or too new.
    """
    from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest
    from nmt_lstm.corpora.builtin import model_path

    path = model_path(folders[0]) if folders else None
    return Manifest.read(path).task if path is not None and (path / MANIFEST).exists() else ""


def _first_run(folders: Sequence[Path]) -> RunSettings:
    """Return the run of the first model.

    Raises:
        ModelFolderError: its run file cannot be read.
    """
    from nmt_lstm.config.load import load_model_run
    from nmt_lstm.corpora.builtin import model_path

    folder = model_path(folders[0])
    try:
        return load_model_run(folder / "run.toml")
    except ConfigurationError as problem:
        raise ModelFolderError(f"model folder '{folder}' cannot be read: {problem}", path=folder) from problem


def _first_subwords(folders: Sequence[Path]) -> Subwords:
    """Return the vocabularies of the first model.

    Raises:
        DataError: a file cannot be read.
        ModelFolderError: its run file cannot be read.
    """
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.text.subwords import load_subwords

    return load_subwords(model_path(folders[0]), _first_run(folders).subwords)


def check_search(
    folders: Sequence[Path],
    overrides: Sequence[str] | None,
    *,
    beam_size: int | None = None,
    n_best: int = 1,
) -> SearchSettings:
    """Return the search settings of the first model, changed by the overrides of ``--set``.

    Args:
        folders: the models.
        overrides: such as "search.alpha=1.5"; each must have an effect.
        beam_size: of ``--beam-size``.
        n_best: of ``--n-best``.

    Raises:
        ConfigurationError: an override is invalid, has no effect or is not of a search setting, or the settings
            contradict each other.
        ModelFolderError: the run file of the first model cannot be read.
    """
    from nmt_lstm.config.load import search_settings

    run = _first_run(folders)
    search = search_settings(run, overrides or [])
    names = [override.partition("=")[0].strip().removeprefix("search.") for override in overrides or ()]
    return checked_search(
        search, names, beam_size=beam_size, n_best=n_best, has_source=run.task == "translation"
    )


def checked_search(
    search: SearchSettings,
    names: Sequence[str] = (),
    *,
    beam_size: int | None = None,
    n_best: int = 1,
    has_source: bool = True,
) -> SearchSettings:
    """Return search settings with the value of ``--beam-size``.

    Args:
        search: the settings.
        names: those that ``--set`` has changed.
        beam_size: of ``--beam-size``.
        n_best: of ``--n-best``.
        has_source: whether the model translates.

    Raises:
        ConfigurationError: the settings contradict each other, or one of the named ones has no effect.
    """
    from nmt_lstm.inference.checked_arguments import with_beam_size
    from nmt_lstm.search.setting_checks import check_effects
    from nmt_lstm.search.setting_checks import check_search as check_settings

    search = with_beam_size(search, beam_size)
    if n_best > search.beam_size and search.method == "beam":
        raise ConfigurationError(
            f"--n-best {n_best} is larger than the beam size {search.beam_size}; add --beam-size {n_best}.",
            key="--n-best",
            value=n_best,
        )
    check_effects(search, [*names, *(["beam_size"] if beam_size is not None else [])], has_source=has_source)
    check_settings(search, n_best)
    return search


def check_tag(folders: Sequence[Path], tag: str) -> None:
    """Check that the vocabulary of the first model has a tag.

    Raises:
        ConfigurationError: it does not.
        DataError: its vocabulary cannot be read.
    """
    if tag:
        from nmt_lstm.text.tags import tag_pieces

        tag_pieces(_first_subwords(folders).source, tag)


def check_keep_as(folders: Sequence[Path], text: TextOptions) -> None:
    """Check that the first model can read and write what ``--keep-as`` puts in place of what is kept.

    Raises:
        ConfigurationError: it cannot.
        DataError: its vocabulary cannot be read.
    """
    if text.keep_as:
        from nmt_lstm.inference.symbols import Symbol

        Symbol.of(text.keep_as, _first_subwords(folders))


def check_files(*paths: Path | None, reread: bool = False) -> None:
    """Check that input files can be read, without opening a pipe.

    Args:
        paths: None and '-' are not checked.
        reread: whether the text is read more than once, which a pipe does not allow.

    Raises:
        DataError: a file is missing, cannot be read, or is clearly not text.
    """
    from nmt_lstm.text.columns import file_of
    from nmt_lstm.text.text_file import check_rereadable, open_bytes

    for path in paths:
        if path is None or str(path) == "-":
            continue
        if reread:
            check_rereadable(path)
        file = file_of(path)
        if file.is_file():
            check_beginning(file)
        elif file.is_dir() or not file.exists():
            open_bytes(file).close()  # raises


def check_task(run: RunSettings, *tasks: TaskName) -> None:
    """Check that a run is for one of some tasks, if they are named, that all of its settings have an effect, and its search.

    Raises:
        ConfigurationError: it is not, a setting has none, or the settings of the search contradict each other.
    """
    from nmt_lstm.config.tasks import TASKS, unused_settings
    from nmt_lstm.search.setting_checks import check_search as check_settings

    task = TASKS[run.task]
    if tasks and run.task not in tasks:
        raise ConfigurationError(
            f'task = "{run.task}": this command is not for {task.model}; train it with nmt-lstm train.',
            key="task",
            value=run.task,
        )
    for path, value, where in unused_settings(run):
        raise ConfigurationError(
            f"{path} = {str(value) if isinstance(value, Path) else value!r} has no effect {where}; leave it out.",
            key=path,
            value=value,
        )
    check_settings(run.search)


def check_names(run: RunSettings) -> None:
    """Check that the encoder, the cells and the attention of a run are registered. Loads no class.

    Raises:
        PluginError: a name is unknown; the message lists the known ones.
    """
    from nmt_lstm.registry import ATTENTIONS, ENCODERS

    encoder = run.model.encoder
    check_cells([*([encoder.cell] if encoder.is_recurrent else []), run.model.decoder.cell])
    for registry, name in ((ATTENTIONS, run.model.attention.name), (ENCODERS, encoder.name)):
        if ":" not in name and name not in registry.names():
            registry.get(name)


def check_cells(names: Sequence[str]) -> None:
    """Check that cells such as "lstm" or "lstm:forget_bias=5" are registered. Loads no class.

    Raises:
        PluginError: a name is unknown; the message lists the known ones.
    """
    from nmt_lstm.registry import CELLS

    for text in names:
        name, colon, options = text.partition(":")
        is_class = colon and "=" not in options  # package.module:Class
        if not is_class and name not in CELLS.names():
            CELLS.get(name)
