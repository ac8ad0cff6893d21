"""What is wrong with a run's settings, in sentences: path, value seen, what is allowed, nearest match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from nmt_lstm.config.fields import child_keys, options_of, table_of, toml_text
from nmt_lstm.errors import ConfigurationError, nearest

__all__ = ["nearest_path", "problem_sentences", "report"]

# Characters of a key or a value that a message repeats.
_LONGEST_SHOWN = 200


def report(origin: str, problems: list[str]) -> ConfigurationError:
    """Return one error for all problems: a single one on one line, several below a headline."""
    if len(problems) == 1:
        return ConfigurationError(f"{origin}: {problems[0]}")
    return ConfigurationError(
        "\n".join([f"{origin}: {len(problems)} problems:", *(f"  {each}" for each in problems)])
    )


def nearest_path(path: str) -> str:
    """Return ``" Did you mean 'a.b'?"`` for the option or table closest to a dotted path."""
    options = [option.path for option in options_of()]
    tables = {option.rpartition(".")[0] for option in options} - {""}
    last = path.rpartition(".")[2]
    same_name = [option for option in options if option.rpartition(".")[2] == last]
    return (
        nearest(path, same_name, likeness=0)
        or _contains(last, options)
        or _like_last_part(path, [*options, *tables])
    )


def problem_sentences(error: ValidationError, overridden: Iterable[str]) -> list[str]:
    """Return a sentence for each problem that pydantic found; `overridden` are the paths given on the command line."""
    from_set = set(overridden)
    allowed = {option.path: option.allowed for option in options_of()}
    meaning = {option.path: option.meaning for option in options_of()}
    sentences = []
    for problem in error.errors(include_url=False):
        keys = tuple(str(key) for key in problem["loc"])
        path, value = _shortened(".".join(keys)), _shortened(toml_text(problem["input"]))
        if path.rpartition(".")[2].isdigit():  # an item of a list: the whole list is the option
            path = path.rpartition(".")[0]
        mark = " (from the command line)" if path in from_set else ""
        if problem["type"] == "extra_forbidden":
            sentences.append(f"unknown key '{path}'{mark}.{_nearest_key(keys)}")
        elif problem["type"] == "missing" and path in allowed:
            sentences.append(f"'{path}' is required: {meaning[path]}")
        elif problem["type"] == "missing":
            sentences.append(f"the table [{path}] is required; its keys: {', '.join(child_keys(keys))}.")
        elif table_of(keys) is not None and keys:
            sentences.append(f"{path} = {value}{mark}: must be a table [{path}].")
        elif not keys or problem["type"] == "value_error":
            place = f"{path} = {value}{mark}: " if keys else ""
            sentences.append(f"{place}{problem['ctx']['error'] if 'ctx' in problem else problem['msg']}.")
        else:
            hint = _nearest_value(problem["input"], problem)
            sentences.append(f"{path} = {value}{mark}: must be {allowed.get(path, problem['msg'])}.{hint}")
    return list(dict.fromkeys(sentences))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def _nearest_key(keys: tuple[str, ...]) -> str:
    siblings = nearest(keys[-1], child_keys(keys[:-1]))
    elsewhere = [option.path for option in options_of() if option.path.rpartition(".")[2] == keys[-1]]
    if elsewhere:
        return f" Did you mean {' or '.join(repr(path) for path in elsewhere)}?"
    return siblings or nearest_path(".".join(keys))


def _nearest_value(found: Any, problem: Any) -> str:
    if problem["type"] != "literal_error" or not isinstance(found, str):
        return ""
    choices = problem["ctx"]["expected"].replace(" or ", ", ").split(", ")
    return nearest(found, [choice.strip("'") for choice in choices])


def _like_last_part(path: str, known: list[str]) -> str:
    """Offer the paths whose last part is like this one's; that tables agree makes no option alike."""
    last = path.rpartition(".")[2]
    alike = [each for each in known if nearest(last, [each.rpartition(".")[2]])]
    return nearest(path, alike, likeness=0)


def _contains(last: str, options: list[str]) -> str:
    """Offer the options whose name holds the word, such as 'optimizer.learning_rate' for 'rate'."""
    matches = [option for option in options if last in option.rpartition(".")[2].split("_")]
    return f" Did you mean '{matches[0]}'?" if matches else ""
