"""The settings of a training run without a run file: chosen from the text, or those of a model to be fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt_lstm.cli import early_checks
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import count_of

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.text.held_out import HeldOut

__all__ = ["run_without_file"]

FINE_TUNING_RATE = 0.3
"""Share of a model's learning rate with which it is fine-tuned: higher ones make it forget what it has learnt."""

_TEXT_OPTIONS = {
    "train_source": "-s",
    "train_target": "-t",
    "valid_source": "--valid-source",
    "valid_target": "--valid-target",
}


def run_without_file(
    texts: Mapping[str, Sequence[Path]],
    settings: list[str],
    folder: Path,
    *,
    resume: bool,
    base: Path | None = None,
    task: TaskName = "translation",
    prepared: Path | None = None,
) -> tuple[RunSettings, list[str], HeldOut | None]:
    """Choose settings from the size of the text.

    Args:
        texts: the files of both sides, by the names of their settings; none if not given.
        settings: overrides, as for ``--set``.
        folder: the model folder.
        resume: whether to use the held-out text that the folder has.
        base: a model to be fine-tuned, whose network and vocabulary are used.
        task: what the model is for.
        prepared: folder of prepared text; by default beside the model folder.

    Returns:
        The settings, lines that describe them, and the held-out text if there is no validation text.

    Raises:
        ConfigurationError: text files are missing on the command line.
        DataError: a text is missing, unreadable, empty or too small, or its sides differ in length.
    """
    if not TASKS[task].is_text:
        return _run_of_series(texts, settings, prepared or folder.parent / "prepared", task)
    check_texts(texts, task)
    from nmt_lstm.config.defaults import choose_settings, describe_settings, with_pieces
    from nmt_lstm.config.load import make_run
    from nmt_lstm.text.corpus import check_lengths, count_usable
    from nmt_lstm.text.held_out import FOLDER, hold_out
    from nmt_lstm.text.text_file import language_of

    files = {name: tuple(paths) for name, paths in texts.items() if paths}
    source, target = files["train_source"], files.get("train_target")
    early_checks.check_files(*(path for paths in files.values() for path in paths), reread=True)
    description: list[str] = []
    held_out: HeldOut | None = None
    if "valid_source" in files:
        pairs = count_usable(source, target)
        check_lengths(files["valid_source"], files.get("valid_target"))
    else:
        held_out = hold_out(source, target, folder / FOLDER, reuse=resume, labelled=task == "classification")
        held = {"valid_source": held_out.source, "valid_target": held_out.target}
        files |= {name: (path,) for name, path in held.items() if path is not None}
        description.append(held_out.describe())
        pairs = held_out.remaining
    data: dict[str, Any] = {
        name: str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]
        for name, paths in files.items()
    }
    data["exclude_validation"] = held_out is not None
    data["source_language"] = language_of(source[0])
    data["target_language"] = "" if target is None else language_of(target[0])
    values = {
        **choose_settings(pairs, task),
        "data": {**data, "prepared": str(prepared or folder.parent / "prepared")},
    }
    if base is None:
        # The kind is known only when the settings are applied, and the sizes chosen for subwords may not suit it.
        kind = make_run({**values, "subwords": {}}, settings, origin="settings").subwords.kind
        values = with_pieces(values, kind)
    else:
        new_vocabulary = any(setting.strip().startswith("subwords.") for setting in settings)
        chosen = values["subwords"]
        values = _as_trained(base, values, task, new_vocabulary=new_vocabulary)
        values = _with_new_kind(values, settings, chosen)
    run = make_run(values, settings, origin="settings")
    advice = "To change a setting: --set training.epochs=5. To list all: nmt-lstm config --explain.\n"
    return run, [*description, *describe_settings(pairs, run), advice], held_out


def _run_of_series(
    texts: Mapping[str, Sequence[Path]], settings: list[str], prepared: Path, task: TaskName
) -> tuple[RunSettings, list[str], None]:
    """Return the settings of a run on one file of numbers: the defaults of its task."""
    from nmt_lstm.config.load import make_run

    others = [_TEXT_OPTIONS[name] for name, paths in texts.items() if paths and name != "train_source"]
    if others or len(texts["train_source"]) != 1:
        raise ConfigurationError(
            f"{TASKS[task].model} is trained on one file, -s series.csv, of which the last part validates; "
            f"{f'leave out {others[0]}' if others else 'name it'}.",
            key=others[0] if others else "-s",
        )
    data = {"train_source": str(texts["train_source"][0]), "prepared": str(prepared)}
    run = make_run({"task": task, "data": data}, settings, origin="settings")
    advice = "To change a setting: --set series.horizon=24. To list all: nmt-lstm config --explain.\n"
    return run, [advice], None


def _as_trained(
    base: Path, values: dict[str, Any], task: TaskName, *, new_vocabulary: bool
) -> dict[str, Any]:
    """Return settings with the network of a trained model, and a lower learning rate than from scratch.

    The vocabulary is that of the model, too, unless settings ask for a new one.

    Raises:
        ModelFolderError: the folder does not contain a model that can be fine-tuned.
    """
    from nmt_lstm.checkpoint.model_folder import ModelFolder
    from nmt_lstm.config.optimizers import OPTIMIZERS
    from nmt_lstm.corpora.builtin import model_name, model_path

    trained = ModelFolder.read(model_path(base, trained=True))
    trained.check_trained()
    trained.manifest.check_task(trained.folder, task)
    run = trained.run
    training = {**values["training"], "optimizer": {**values["training"].get("optimizer", {})}}
    optimizer = run.training.optimizer
    # A class that is not built in would be imported on the word of a model folder; Adam needs a rate of its own.
    if optimizer.name in OPTIMIZERS:
        training["optimizer"] |= {
            "name": optimizer.name,
            "options": optimizer.options,
            "learning_rate": optimizer.learning_rate,
        }
    training["optimizer"]["learning_rate"] *= FINE_TUNING_RATE
    subwords = run.subwords.model_dump(mode="json", exclude={"model"})
    if not new_vocabulary:
        subwords["model"] = model_name(trained.folder)
    return {
        **values,
        "model": run.model.model_dump(mode="json"),
        "subwords": subwords,
        "training": training,
    }


def _with_new_kind(values: dict[str, Any], settings: list[str], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a model to be fine-tuned, where the user asks for a different kind of pieces.

    The size of its vocabulary and its sampling do not suit other pieces.

    Args:
        values: those of the model.
        settings: overrides.
        chosen: the table [subwords] that suits the size of the text.
    """
    from nmt_lstm.config.defaults import with_pieces
    from nmt_lstm.config.load import make_run

    subwords = {
        name: value
        for name, value in values["subwords"].items()
        if name not in ("vocabulary_size", "sampling")
    }
    kind = make_run({**values, "subwords": subwords}, settings, origin="settings").subwords.kind
    if kind == subwords["kind"]:
        return values
    return with_pieces({**values, "subwords": {**subwords, **chosen}}, kind)


def check_texts(texts: Mapping[str, Sequence[Path]], task: TaskName = "translation") -> None:
    """Raise ConfigurationError unless both sides of the training text, and of any validation text, have as many files."""
    if not any(texts.values()):
        raise ConfigurationError(
            f"nothing to train on: name a run file, or the text with {'-s and -t' if TASKS[task].paired else '-s'}. See "
            f"'nmt-lstm train --help'."
        )
    if not TASKS[task].paired:
        if any(texts[f"{part}_target"] for part in ("train", "valid")):
            raise ConfigurationError(
                f"{TASKS[task].model} is trained on text without translations: leave out -t, --valid-target and --tsv; "
                f"-s pairs.tsv:1 names a column."
            )
        if not texts["train_source"]:
            raise ConfigurationError("-s is missing: without a run file, name the training text.")
        return
    has_validation = bool(texts["valid_source"] or texts["valid_target"])
    required = _TEXT_OPTIONS if has_validation else ("train_source", "train_target")
    missing = [_TEXT_OPTIONS[name] for name in required if not texts[name]]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: without a run file, name both sides "
            f"of the training text, and both or neither of the validation text."
        )
    for one, other in (("train_source", "train_target"), ("valid_source", "valid_target")):
        counts = len(texts[one]), len(texts[other])
        if counts[0] != counts[1]:
            raise ConfigurationError(
                f"{_TEXT_OPTIONS[one]} has {count_of(counts[0], 'file')}, but {_TEXT_OPTIONS[other]} has {counts[1]}; they "
                f"are paired by position, so give as many for each side.",
                key=_TEXT_OPTIONS[other],
                value=counts[1],
            )
