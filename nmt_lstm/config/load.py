"""Reading a run file with overrides, and writing one back."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nmt_lstm.config.fields import Option, is_path, item_table, options_of, table_of
from nmt_lstm.config.problems import combined_error, problem_sentences, unknown_key, with_similar_key
from nmt_lstm.config.schema import RunSettings, SearchSettings, SeriesSettings
from nmt_lstm.config.toml_writer import write_toml
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.files.parsing import MAX_DEPTH, parse_toml
from nmt_lstm.files.regular import read_regular

__all__ = [
    "dump_toml",
    "load_model_run",
    "load_run",
    "make_run",
    "parse_value",
    "read_toml",
    "search_settings",
]

MAX_RUN_FILE_BYTES = 1 << 20
BUILTIN = "builtin:"
"""Begins the name of a built-in model, which is not a path."""


def load_run(path: str | Path, overrides: Iterable[str] = ()) -> RunSettings:
    """Read a run file and apply overrides such as ``"model.decoder.cell=gru"``.

    Relative paths are relative to the run file's folder, those of overrides to the working directory.

    Raises:
        ConfigurationError: the file cannot be read, or settings are invalid; the message names all of them.
    """
    return make_run(read_toml(path), overrides, folder=Path(path).absolute().parent, origin=str(path))


def load_model_run(path: str | Path) -> RunSettings:
    """Read the run file of a model folder; settings that it does not mention are as when the folder was written.

    Raises:
        ConfigurationError: the file cannot be read, or settings are invalid; the message names all of them.
    """
    values = read_toml(path)
    subwords = values.setdefault("subwords", {})
    if isinstance(subwords, dict):
        # Models without this key were trained before it existed.
        subwords.setdefault("normalise_invisible", False)
    return make_run(values, folder=Path(path).absolute().parent, origin=str(path))


def make_run(
    values: Mapping[str, Any],
    overrides: Iterable[str] = (),
    *,
    folder: Path | None = None,
    origin: str = "settings",
) -> RunSettings:
    """Validate nested `values` with `overrides` applied; relative paths of `values` are relative to `folder`.

    Raises:
        ConfigurationError: settings are invalid; the message names all of them, after `origin`.
    """
    base = folder or Path.cwd()
    options = {option.path: option for option in options_of()}
    merged = copy.deepcopy(dict(values))
    # Before the overrides are applied, since their paths are relative to the working directory.
    for option in options.values():
        if is_path(option) or item_table(option.type) is not None:
            value = _get(merged, option.path, None if option.required else option.default)
            if value is not None and value != ():
                _put(merged, option.path, _resolved(value, option, base))
    problems: list[str] = []
    overridden = [_apply(merged, override, options, problems) for override in overrides]
    try:
        run = RunSettings.model_validate(merged)
    except ValidationError as error:
        problems += problem_sentences(error, overridden, merged.get("task"))
    else:
        problems += _writing_problems(run)
    if problems:
        raise combined_error(origin, problems)
    return run


def search_settings(run: RunSettings, overrides: Iterable[str]) -> SearchSettings:
    """Return a run's search settings with overrides such as ``"search.alpha=1.5"``.

    Raises:
        ConfigurationError: an override is invalid, or not of a search setting.
    """
    assignments = list(overrides)
    for assignment in assignments:
        if not assignment.strip().startswith("search."):
            key = assignment.partition("=")[0].strip()
            known = [option.path for option in options_of() if option.path.startswith("search.")]
            suggestion = with_similar_key(key, known)
            raise ConfigurationError(
                f"--set {assignment}: only search settings of a trained model can be changed"
                f"{f'.{suggestion}' if suggestion else ', such as search.alpha=1.5.'}",
                key=key,
                value=assignment,
                known=known,
            )
    return make_run(run.model_dump(), assignments).search


def dump_toml(run: RunSettings, *, complete: bool = False) -> str:
    """Return a run file that `load_run` reads back as an equal `run`.

    Args:
        run: the settings.
        complete: include the table [series] in the run file of text, where it has no effect.
    """
    values: dict[str, Any] = _without_unset(run.model_dump())
    if run.task != "forecast" and run.series == SeriesSettings() and not complete:
        del values["series"]
    for option in options_of():
        # A list without tables could not be extended with [[data.corpora]].
        if item_table(option.type) is not None and not _get(values, option.path, True):
            table, _, name = option.path.rpartition(".")
            del _get(values, table, {})[name]
    return write_toml(values)


def _without_unset(values: Any) -> Any:
    """Return values without those that are None, such as missing validation text: TOML has no null."""
    if isinstance(values, Mapping):
        return {name: _without_unset(value) for name, value in values.items() if value is not None}
    return [_without_unset(value) for value in values] if isinstance(values, (list, tuple)) else values


def read_toml(path: str | Path, kind: str = "run file") -> dict[str, Any]:
    """Read a TOML file; messages call it what `kind` says.

    Raises:
        ConfigurationError: the file is missing, unreadable, too large, not UTF-8, or not TOML (with line and column).
    """
    file = Path(path)
    try:
        return parse_toml(read_regular(file, MAX_RUN_FILE_BYTES).decode("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{kind} '{path}' does not exist.") from None
    except IsADirectoryError:
        raise ConfigurationError(f"{kind} '{path}' is a folder; name a .toml file.") from None
    except OSError as problem:
        raise ConfigurationError(f"{kind} '{path}' cannot be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise ConfigurationError(f"{kind} '{path}' is not UTF-8 text (byte {problem.start}).") from problem
    except ValueError as problem:
        raise ConfigurationError(f"{kind} '{path}' is not TOML: {problem}.") from problem


def _writing_problems(run: RunSettings) -> list[str]:
    """Return what would otherwise fail only when the model folder is written."""
    try:
        dump_toml(run)
    except ConfigurationError as problem:
        return [str(problem)]
    return []


def _apply(values: dict[str, Any], override: str, options: Mapping[str, Option], problems: list[str]) -> str:
    """Apply one ``path=value`` to `values`, or add a sentence to `problems`; return the path."""
    path, equals, text = override.partition("=")
    path, text = path.strip(), text.strip()
    if not equals or not path:
        problems.append(f"--set '{override}' must look like key=value, such as training.epochs=5.")
        return path
    if path.count(".") >= MAX_DEPTH:
        problems.append(
            f"--set: a key of {path.count('.') + 1:,} parts is too long; at most {MAX_DEPTH} are allowed."
        )
        return path
    keys = tuple(path.split("."))
    option = options.get(path)
    # The tables of a plugin's options are not in the schema: they accept any key.
    inside_options = any(
        options[".".join(keys[:count])].default == {}
        for count in range(1, len(keys))
        if ".".join(keys[:count]) in options
    )
    if option is None and not inside_options and table_of(keys) is None:
        problems.append(f"--set: {unknown_key(path, values.get('task'))}")
        return path
    value = parse_value(text)
    if (
        option is not None
        and not isinstance(value, str)
        and (
            option.type is str
            or ('"' in option.allowed and "number" not in option.allowed)
            or (is_path(option) and not isinstance(value, list))
        )
    ):
        value = text  # text such as 2024 needs no quotes
    if option is not None:
        value = _resolved(value, option, Path.cwd())
    _put(values, path, value)
    return path


def _resolved(value: Any, option: Option, folder: Path) -> Any:
    """Return the value of an option with its paths, also those in a list of tables, relative to `folder`."""
    table = item_table(option.type)
    if table is not None and isinstance(value, (list, tuple)):
        options = {each.path: each for each in options_of(table)}
        return [
            {
                key: _resolved(each, options[key], folder) if key in options else each
                for key, each in item.items()
            }
            if isinstance(item, dict)
            else item
            for item in value
        ]
    if not is_path(option):
        return value
    if isinstance(value, (list, tuple)) and option.type is not Path:
        return [str(folder / path) if isinstance(path, (str, Path)) else path for path in value]
    if isinstance(value, str) and value.startswith(BUILTIN):
        return value
    return str(folder / value) if isinstance(value, (str, Path)) else value


def parse_value(text: str) -> Any:
    """Parse a TOML value; text that is not TOML is returned unchanged."""
    try:
        parsed = parse_toml(f"value = {text}")
    except ValueError:
        return text
    return parsed["value"] if list(parsed) == ["value"] else text


def _get(values: Mapping[str, Any], path: str, default: Any) -> Any:
    table: Any = values
    for key in path.split("."):
        if not isinstance(table, dict) or key not in table:
            return default
        table = table[key]
    return table


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set a nested value; a parent that is not a table is left for validation to report."""
    *parents, last = path.split(".")
    table = values
    for key in parents:
        child = table.setdefault(key, {})
        if not isinstance(child, dict):
            return
        table = child
    table[last] = value
