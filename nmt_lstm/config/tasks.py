"""The tasks of a run: the one table of what each needs, builds and reports, from which all other modules read.

To add a task, add its name and its row here, and the parts that the row names.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

__all__ = ["TASKS", "Task", "TaskName", "part_of", "unused_settings", "with_defaults_of_task"]

TaskName = Literal["translation", "language-model", "classification", "forecast"]
"""The names in `TASKS`: a type checker accepts a row only if its name is here."""


class Task(NamedTuple):
    """What is trained for a task, on which text, and how it is validated.

    Parts are named ``package.module:name``, since configuration does not import torch; `part_of` imports them.
    """

    model: str
    """What a trained model is called in texts, with its article."""
    purpose: str
    """What it is for, in a few words."""
    verb: str
    """What is done with it, as the first word of a sentence."""
    commands: tuple[str, ...]
    """The commands that use a model, the most important one first."""
    examples: tuple[tuple[str, str], ...]
    """Commands to type next, and their arguments after the model."""
    refused: tuple[str, ...]
    """Keys of [data] that have no meaning in it."""
    paired: bool
    """Whether a line of the text is a pair. If not, the text is the target side, and the source side is empty."""
    unit: str
    """What the loss is counted for."""
    metrics: tuple[str, ...]
    """Validation metrics, the default one first."""
    defaults: Mapping[str, Any]
    """Dotted paths of settings whose defaults are different in this task."""
    unused: tuple[str, ...]
    """Settings and tables that have no effect."""
    network: str
    """Builds the network: called like `nmt_lstm.model.build.build_model`."""
    validation: str
    """Validates it: constructed like `nmt_lstm.training.validation.Validation`."""
    preparation: str = "nmt_lstm.text.preparation:prepare"
    """Prepares its data, given a run: returns what `nmt_lstm.training.assembly.assemble` reads."""
    batches: str = "nmt_lstm.training.data_module:TranslationDataModule"
    """The data module of prepared data, with a method `of_run`."""
    vocabularies: str = "nmt_lstm.text.subwords:load_subwords"
    """Reads from a model folder what its preparation has learnt."""
    is_text: bool = True
    """Whether it is trained on text, of which some is held out, and its loss is a negative log-likelihood."""


TASKS: Mapping[TaskName, Task] = {
    "translation": Task(
        model="a translation model",
        purpose="translate text",
        verb="Translate",
        commands=("translate", "score", "evaluate", "inspect", "export", "leaderboard"),
        examples=(("translate", "< in.txt > out.txt"), ("translate", "--interactive")),
        refused=(),
        paired=True,
        unit="target piece",
        metrics=("bleu", "chrf", "loss"),
        defaults={},
        unused=("series",),
        network="nmt_lstm.model.build:build_model",
        validation="nmt_lstm.training.validation:Validation",
    ),
    "language-model": Task(
        model="a language model",
        purpose="predict the next word",
        verb="Write",
        commands=("generate", "score", "evaluate"),
        examples=(("generate", '--prompt "The"'), ("generate", "--interactive"), ("evaluate", "-s test.txt")),
        refused=("train_target", "valid_target"),
        paired=False,
        unit="target piece",
        metrics=("loss",),
        # Smoothing would spend probability on every piece, and so raise the perplexity.
        defaults={"training.metric": "loss", "training.label_smoothing": 0.0, "search.method": "sampling"},
        unused=(
            "series",
            "insight",
            "model.encoder",
            "model.attention",
            "model.decoder.wiring",
            "model.decoder.bridge",
        ),
        network="nmt_lstm.model.build:build_language_model",
        validation="nmt_lstm.training.text_validation:TextValidation",
    ),
    "classification": Task(
        model="a classifier",
        purpose="give texts one of a set of labels",
        verb="Classify",
        commands=("classify", "evaluate"),
        examples=(("classify", "< texts.txt"), ("evaluate", "-s test.tsv:2 -r test.tsv:1")),
        refused=(),
        paired=True,
        unit="text",
        metrics=("accuracy", "f1", "loss"),
        defaults={
            "data.targets": "labels",
            "data.cleaning.max_ratio": 0.0,
            "subwords.joint": False,
            "model.tied_embeddings": "none",
            "training.metric": "accuracy",
            "training.label_smoothing": 0.0,
        },
        unused=("series", "insight", "model.attention", "model.decoder", "subwords.sampling"),
        network="nmt_lstm.model.build:build_classifier",
        validation="nmt_lstm.training.label_validation:LabelValidation",
    ),
    "forecast": Task(
        model="a forecaster",
        purpose="continue columns of numbers",
        verb="Forecast",
        commands=("forecast", "evaluate"),
        examples=(("forecast", "-i series.csv"), ("evaluate", "-s test.csv")),
        refused=("train_target", "valid_source", "valid_target"),
        paired=False,
        unit="value",
        metrics=("loss",),
        # A series is short next to a text, and its windows overlap; numbers need all digits of float32.
        defaults={
            "model.embedding_size": 32,
            "model.dropout": 0.0,
            "model.encoder.hidden_size": 64,
            "model.encoder.directions": "unidirectional",
            "training.metric": "loss",
            "training.batch_pieces": 2_000,
            "training.epochs": 20,
            "training.precision": "float32",
        },
        unused=(
            "insight",
            "search",
            "subwords",
            "data.corpora",
            "data.stream",
            "data.validation",
            "data.tokenize",
            "data.cleaning",
            "data.exclude_validation",
            "model.attention",
            "model.decoder",
            "model.tied_embeddings",
            "model.word_dropout",
            "model.source_end",
            "training.init_from",
            "training.source_vectors",
            "training.target_vectors",
            "training.label_smoothing",
        ),
        network="nmt_lstm.model.build:build_forecaster",
        validation="nmt_lstm.training.series_data:SeriesValidation",
        preparation="nmt_lstm.series.prepared:prepare_series",
        batches="nmt_lstm.training.series_data:SeriesDataModule",
        vocabularies="nmt_lstm.series.scale:load_scale",
        is_text=False,
    ),
}


def with_defaults_of_task(values: Any) -> Any:
    """Return nested settings, with the defaults that depend on their task for those that are not given."""
    name = values.get("task") if isinstance(values, dict) else None
    task = next((task for known, task in TASKS.items() if known == name), None)
    if task is None:
        return values
    completed = values
    for path, default in task.defaults.items():
        completed = _with_default(completed, path, default)
    return completed


def _with_default(table: Any, path: str, default: Any) -> Any:
    """Return a table in which a nested key has a default unless it is given; what is not a table is left as it is."""
    if not isinstance(table, dict):
        return table
    key, _, rest = path.partition(".")
    if not rest:
        return {key: default, **table}
    return {**table, key: _with_default(table.get(key, {}), rest, default)}


def unused_settings(run: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield each setting of a run that is set, but has no effect: its path, its value, and where, such as "in a classifier".

    Args:
        run: a `nmt_lstm.config.schema.RunSettings`.
    """
    task = TASKS[run.task]
    for path, value in _unused_in(run, task):
        yield path, value, f"in {task.model}"
    for key, tables in (("data.corpora", run.data.corpora), ("data.validation", run.data.validation)):
        for number, table in enumerate(tables, start=1):
            if table.tsv is None and table.columns != (1, 2):
                yield f"[[{key}]] {number}: columns", list(table.columns), "without tsv"
    if run.data.stream:
        default = type(run.training).model_fields["epochs"].default
        for path, value in _changed("epochs", run.training.epochs, default, "training"):
            yield path, value, "on a stream, which has no epochs"


def _unused_in(run: Any, task: Task) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each setting that has no effect in a task."""
    for path in task.unused:
        table, _, key = path.rpartition(".")
        holder: Any = run
        for part in filter(None, table.split(".")):
            holder = getattr(holder, part)
        yield from _changed(key, getattr(holder, key), type(holder).model_fields[key].default, table)


def _changed(key: str, value: Any, default: Any, table: str) -> Iterator[tuple[str, Any]]:
    from pydantic import BaseModel  # not at the top: the list of commands must not wait for it

    path = f"{table}.{key}" if table else key
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _changed(name, getattr(value, name), field.default, path)
    elif value != default:
        yield path, value


def part_of(name: str) -> Any:
    """Return what a name such as ``package.module:name`` in the table stands for."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
