"""Reading a run file with overrides, and writing one back."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nmt_lstm.config.fields import Option, options_of, table_of
from nmt_lstm.config.problems import nearest_path, problem_sentences, report
from nmt_lstm.config.schema import RunSettings, SearchSettings
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

LARGEST_RUN_FILE = 1 << 20


def load_run(path: str | Path, overrides: Iterable[str] = ()) -> RunSettings:
    """Read a run file and apply overrides such as ``"model.decoder.cell=gru"``.

    Relative paths start at the run file's folder, those of overrides at the working directory.

    Raises:
        ConfigurationError: the file cannot be read, or settings are wrong; the message names all of them.
    """
    return make_run(read_toml(path), overrides, folder=Path(path).absolute().parent, origin=str(path))


def load_model_run(path: str | Path) -> RunSettings:
    """Read the run file in a model folder; what it does not mention is as it was when the folder was written.

    Raises:
        ConfigurationError: the file cannot be read, or settings are wrong; the message names all of them.
    """
    values = read_toml(path)
    subwords = values.setdefault("subwords", {})
    if isinstance(subwords, dict):
        subwords.setdefault("normalise_invisible", False)  # models that do not name it were trained without
    return make_run(values, folder=Path(path).absolute().parent, origin=str(path))


def make_run(
    values: Mapping[str, Any],
    overrides: Iterable[str] = (),
    *,
    folder: Path | None = None,
    origin: str = "settings",
) -> RunSettings:
    """Check nested `values` with `overrides` on top; `folder` is where their relative paths start.

    Raises:
        ConfigurationError: settings are wrong; the message names all of them, after `origin`.
    """
    start = folder or Path.cwd()
    options = {option.path: option for option in options_of()}
    merged = copy.deepcopy(dict(values))
    for option in options.values():
        if option.type is Path:
            given = _get(merged, option.path, None if option.required else option.default)
            if isinstance(given, (str, Path)):
                _put(merged, option.path, str(start / given))
    problems: list[str] = []
    overridden = [_apply(merged, override, options, problems) for override in overrides]
    try:
        run = RunSettings.model_validate(merged)
    except ValidationError as error:
        problems += problem_sentences(error, overridden)
    else:
        problems += _unwritable(run)
    if problems:
        raise report(origin, problems)
    return run


def search_settings(run: RunSettings, overrides: Iterable[str]) -> SearchSettings:
    """Return a run's search settings with overrides such as ``"search.alpha=1.5"``.

    Raises:
        ConfigurationError: an override is of something else, or wrong.
    """
    given = list(overrides)
    for override in given:
        if not override.strip().startswith("search."):
            raise ConfigurationError(
                f"--set {override}: a trained model's search can be changed, nothing else; such as search.alpha=1.5."
            )
    return make_run(run.model_dump(), given).search


def dump_toml(run: RunSettings) -> str:
    """Return a run file that `load_run` reads back as an equal `run`."""
    values = run.model_dump()
    # Where there is no validation text yet, the file has no keys of it: TOML has no word for nothing.
    values["data"] = {name: value for name, value in values["data"].items() if value is not None}
    return write_toml(values)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigurationError: the file is missing, unreadable, too large, not UTF-8 or not TOML (with line and column).
    """
    file = Path(path)
    try:
        return parse_toml(read_regular(file, LARGEST_RUN_FILE).decode("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"run file '{path}' does not exist.") from None
    except IsADirectoryError:
        raise ConfigurationError(f"run file '{path}' is a folder; name a .toml file.") from None
    except OSError as problem:
        raise ConfigurationError(f"run file '{path}' cannot be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise ConfigurationError(f"run file '{path}' is not UTF-8 text (byte {problem.start}).") from problem
    except ValueError as problem:
        raise ConfigurationError(f"run file '{path}' is not TOML: {problem}.") from problem


def _unwritable(run: RunSettings) -> list[str]:
    """Find at once what would otherwise fail when the model folder is written."""
    try:
        dump_toml(run)
    except ConfigurationError as problem:
        return [str(problem)]
    return []


def _apply(values: dict[str, Any], override: str, options: Mapping[str, Option], problems: list[str]) -> str:
    """Put one ``path=value`` into `values`, or a sentence into `problems`; return its path."""
    path, equals, text = override.partition("=")
    path, text = path.strip(), text.strip()
    if not equals or not path:
        problems.append(f"--set '{override}' must look like key=value, such as training.epochs=5.")
        return path
    if path.count(".") >= MAX_DEPTH:
        problems.append(
            f"--set: a key has at most {MAX_DEPTH} parts, and one here has {path.count('.') + 1:,}."
        )
        return path
    keys = tuple(path.split("."))
    option = options.get(path)
    inside_options = any(
        options[".".join(keys[:count])].default == {}
        for count in range(1, len(keys))
        if ".".join(keys[:count]) in options
    )
    if option is None and not inside_options and table_of(keys) is None:
        problems.append(f"--set: unknown key '{path}'.{nearest_path(path)}")
        return path
    value = parse_value(text)
    if (
        option is not None
        and not isinstance(value, str)
        and (option.type in (str, Path) or '"' in option.allowed)
    ):
        value = text  # a text such as 2024 needs no quotes
    if option is not None and option.type is Path:
        value = str(Path.cwd() / value)
    _put(values, path, value)
    return path


def parse_value(text: str) -> Any:
    """Read a TOML value; what is none is the text itself."""
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
    """Set a nested value; a parent that is no table is left for validation to report."""
    *parents, last = path.split(".")
    table = values
    for key in parents:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        table = inner
    table[last] = value
