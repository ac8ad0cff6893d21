"""Sentences about invalid settings: path, value, what is allowed, nearest match."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from nmt_lstm.config.fields import child_keys, options_of, table_of
from nmt_lstm.config.tasks import TASKS
from nmt_lstm.config.toml_writer import toml_value
from nmt_lstm.errors import ConfigurationError, nearest

__all__ = ["combined_error", "problem_sentences", "unknown_key", "with_similar_key"]

# Most characters of a key or a value in a message.
_MAX_QUOTE_LENGTH = 200
MAX_SUGGESTIONS = 3


def combined_error(origin: str, problems: list[str]) -> ConfigurationError:
    """Return one error for all problems: on one line if there is only one, otherwise below a headline."""
    if len(problems) == 1:
        return ConfigurationError(f"{origin}: {problems[0]}")
    return ConfigurationError(
        "\n".join([f"{origin}: {len(problems)} problems:", *(f"  {problem}" for problem in problems)])
    )


def unknown_key(path: str, task: object = "") -> str:
    """Return a sentence about a dotted path that is not a setting, with the closest ones, or else the keys of its table.

    Args:
        path: what was given.
        task: name of the task, whose settings are suggested; others for those of all tasks.
    """
    keys = tuple(path.split("."))
    if table_of(keys) is not None:
        return f"[{path}] is a table; set one of its keys: {', '.join(child_keys(keys))}."
    return f"unknown key '{path}'.{_nearest_path(path, task) or _keys_beside(keys)}"


def _keys_beside(keys: tuple[str, ...]) -> str:
    """Return a sentence with the keys of the table that contains a key, or of the closest table above it that exists."""
    parents = keys[:-1]
    while table_of(parents) is None:
        parents = parents[:-1]
    path = ".".join(key for key in parents if not key.isdigit())
    table = f"[[{path}]]" if parents[-1:] and parents[-1].isdigit() else f"[{path}]"
    return f" The keys of {table if path else 'a run file'}: {', '.join(child_keys(parents))}."


def _settings_of(task: object) -> list[str]:
    """Return the paths of all settings that have an effect in a task."""
    unused = next((each.unused for name, each in TASKS.items() if name == task), ())
    paths = [option.path for option in options_of()]
    return [path for path in paths if not any(f"{path}.".startswith(f"{each}.") for each in unused)]


def _nearest_path(path: str, task: object = "") -> str:
    """Return ``" Did you mean 'a.b'?"`` for the option or table closest to a dotted path, or an empty string."""
    options = _settings_of(task)
    tables = {option.rpartition(".")[0] for option in options} - {""}
    last = path.rpartition(".")[2]
    same_name = [option for option in options if option.rpartition(".")[2] == last]
    inside = [option for option in same_name if option.startswith(f"{path.rpartition('.')[0]}.")]
    if 1 < len(inside) <= MAX_SUGGESTIONS:
        return f" Did you mean {' or '.join(map(repr, inside))}?"
    return (
        nearest(path, same_name, likeness=0)
        or _with_word(last, options)
        or with_similar_key(path, [*options, *tables])
    )


def problem_sentences(error: ValidationError, overridden: Iterable[str], task: object = "") -> list[str]:
    """Return a sentence for each of pydantic's problems.

    Args:
        error: has the problems.
        overridden: the paths set on the command line.
        task: as for `unknown_key`.
    """
    from_command_line = set(overridden)
    options = {option.path: option for option in options_of()}
    sentences = []
    for problem in error.errors(include_url=False):
        keys = tuple(str(key) for key in problem["loc"])
        path, value = _shortened(".".join(keys)), _shortened(_toml(problem["input"]))
        if (
            keys[-1:] and keys[-1].isdigit() and table_of(keys) is None
        ):  # an item of a list; the list is the option
            keys = keys[:-1]
            path = path.rpartition(".")[0]
        # A table in a list has the options of its kind.
        table = table_of(keys[:-1])
        if table is not None and any(key.isdigit() for key in keys):
            prefix, path = ".".join(keys[:-1]), _in_list(path)
            options |= {_in_list(f"{prefix}.{each.path}"): each for each in options_of(table)}
        mark = " (from the command line)" if path in from_command_line else ""
        # From the most specific kind to the general one, which needs the allowed values of an option.
        if problem["type"] == "extra_forbidden":
            sentences.append(f"unknown key '{path}'{mark}.{_nearest_key(keys, task) or _keys_beside(keys)}")
        elif problem["type"] == "missing" and path in options:
            sentences.append(f"'{path}' is required: {options[path].meaning}")
        elif problem["type"] == "missing":
            sentences.append(f"the table [{path}] is required; its keys: {', '.join(child_keys(keys))}.")
        elif table_of(keys) is not None and keys and path not in options and problem["type"] != "value_error":
            sentences.append(f"{path} = {value}{mark}: must be a table [{path}].")
        elif not keys or problem["type"] == "value_error":
            # The check of a table as a whole names its keys itself.
            prefix = f"{path} = {value}{mark}: " if path in options else ""
            text = str(problem["ctx"]["error"] if "ctx" in problem else problem["msg"])
            sentences.append(f"{prefix}{text}{'' if text.endswith('?') else '.'}")
        else:
            allowed = options[path].allowed if path in options else problem["msg"]
            hint = _nearest_value(problem["input"], problem)
            sentences.append(f"{path} = {value}{mark}: must be {allowed}.{hint}")
    return list(dict.fromkeys(sentences))  # items of one list have the same sentence


def _in_list(path: str) -> str:
    """Return a path in a list of tables as a run file shows it: "data.corpora.0.tag" is "[[data.corpora]] 1: tag"."""
    match = re.fullmatch(r"(.+?)\.(\d+)\.(.+)", path)
    return path if match is None else f"[[{match[1]}]] {int(match[2]) + 1}: {match[3]}"


def _toml(value: Any) -> str:
    try:
        return toml_value(value)
    except ConfigurationError:  # a value of Python, or invalid text
        return repr(value)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_QUOTE_LENGTH else f"{text[: _MAX_QUOTE_LENGTH - 3]}..."


def _nearest_key(keys: tuple[str, ...], task: object) -> str:
    siblings = nearest(keys[-1], child_keys(keys[:-1]))
    elsewhere = [path for path in _settings_of(task) if path.rpartition(".")[2] == keys[-1]]
    if elsewhere:
        return f" Did you mean {' or '.join(repr(path) for path in elsewhere)}?"
    return siblings or _nearest_path(".".join(keys), task)


def _nearest_value(value: Any, problem: Any) -> str:
    if problem["type"] != "literal_error" or not isinstance(value, str):
        return ""
    choices = problem["ctx"]["expected"].replace(" or ", ", ").split(", ")
    return nearest(value, [choice.strip("'") for choice in choices])


def with_similar_key(path: str, known: list[str]) -> str:
    """Suggest a path whose last key resembles this one's; the same table alone does not make two options alike."""
    last = path.rpartition(".")[2]
    alike = [option for option in known if nearest(last, [option.rpartition(".")[2]])]
    return nearest(path, alike, likeness=0)


def _with_word(last: str, options: list[str]) -> str:
    """Suggest an option whose name contains the word, such as 'optimizer.learning_rate' for 'rate'."""
    matches = [option for option in options if last in option.rpartition(".")[2].split("_")]
    return f" Did you mean '{matches[0]}'?" if matches else ""
