"""Stricter parsing for every command: empty values, repeated options, invalid numbers, arguments without their option."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from nmt_lstm.cli.standard_input import check_read_once

__all__ = ["CommandError", "UsageError", "make_strict"]

# Depending on its version, typer takes these classes from click or from a copy of its own; BadParameter is public.
UsageError: Any = typer.BadParameter.__base__
CommandError: Any = UsageError.__base__

_SEVERAL_FILES = "FILE..."  # the metavar of every option that takes several files
_WHOLE_NUMBER = "N"  # the metavar of every option that takes one
# A prompt may be empty: the text then begins as any other.
_MAY_BE_EMPTY = frozenset({"--prompt"})
_TRAINING_TEXTS = ("-s", "-t", "--valid-source", "--valid-target")


def make_strict(command: Any) -> None:
    """Make a command, and all commands below it, check their options before they use them.

    The parser itself takes the last of several values without a warning, and an error in a number omits the value.

    Args:
        command: typer's command or group.
    """
    original = command.make_parser

    def make_parser(context: Any) -> Any:
        parser = original(context)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            arguments = _with_repeated_names(context.command.params, args)
            args = [*arguments]  # the parser consumes its list
            values, extra, order = parse(args=args)
            _check(context, values, extra, order, lambda option: _all_values(option, parse, arguments))
            return values, extra, order

        parser.parse_args = parse_args
        return parser

    command.make_parser = make_parser
    for subcommand in vars(command).get("commands", {}).values():
        make_strict(subcommand)


def _with_repeated_names(options: Sequence[Any], arguments: Sequence[str]) -> list[str]:
    """Return arguments in which an option that takes several files has its name before each of them.

    A run file is never one of them, so it may follow: ``-s a.de b.de -t a.en b.en run.toml``.
    """
    names = {
        name for option in options if option.metavar == _SEVERAL_FILES for name in getattr(option, "opts", [])
    }
    repeated: list[str] = []
    current, has_value = "", False
    for number, argument in enumerate(arguments):
        if argument == "--":
            return [*repeated, *arguments[number:]]
        if argument.startswith("-") and argument != "-":
            name, equals, _ = argument.partition("=")
            current, has_value = (name if name in names else ""), bool(equals)
            repeated.append(argument)
        elif current and has_value and argument.endswith(".toml"):
            current = ""
            repeated.append(argument)
        else:
            repeated += [current, argument] if current and has_value else [argument]
            has_value = True
    return repeated


def _all_values(option: Any, parse: Callable[..., Any], arguments: Sequence[str]) -> list[str]:
    """Return all values of an option. The parser reports the last one, so ever longer prefixes are parsed."""
    values: list[str] = []
    for end in range(1, len(arguments) + 1):
        try:
            parsed, _, order = parse(args=[*arguments[:end]])
        except UsageError:  # the prefix ends between a name and its value
            continue
        if sum(occurrence is option for occurrence in order) > len(values):
            values.append(str(parsed[option.name]))
    return values


def _check(
    context: Any,
    values: Mapping[str, Any],
    extra: Sequence[str],
    order: Sequence[Any],
    all_values: Callable[[Any], list[str]],
) -> None:
    options = [parameter for parameter in order if parameter.param_type_name == "option"]
    if any(option.is_eager for option in options):  # --help and --version work whatever else is on the line
        return
    for parameter in order:
        if not getattr(parameter, "is_flag", False) and _MAY_BE_EMPTY.isdisjoint(parameter.opts):
            _check_not_empty(context, parameter, values[parameter.name])
    counts = Counter(id(option) for option in options)
    for option in options:
        count = counts[id(option)]
        if option.multiple:
            _check_repeated_keys(context, option, values[option.name])
        elif count > 1:
            shown = "" if option.is_flag else f" ({_quoted(all_values(option))})"
            raise UsageError(
                f"{_names(option)} was given {count} times{shown}, but takes one value; remove all but one.",
                ctx=context,
            )
        elif option.metavar == _WHOLE_NUMBER:
            _check_number(context, option, values[option.name])
    check_read_once(context.info_name, context.command.params, values)
    suggest = _SUGGESTIONS.get(context.info_name)
    if extra and suggest is not None and "commands" not in vars(context.command):
        command = suggest(extra, values)
        if command:
            raise UsageError(
                f"Unexpected argument {shlex.join(extra)}. Perhaps you mean: {command}", ctx=context
            )


def _check_not_empty(context: Any, parameter: Any, value: Any) -> None:
    """Raise UsageError for an empty text, often that of an unset variable in a script, which would have no effect."""
    texts = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(text, str) and not text.strip() for text in texts):
        is_option = parameter.param_type_name == "option"
        name = _names(parameter) if is_option else f"'{parameter.metavar or parameter.name}'"
        raise UsageError(
            f"{name} is empty; give it a value{'' if parameter.required else ', or leave it out'}.",
            ctx=context,
        )


def _check_repeated_keys(context: Any, option: Any, settings: Sequence[str]) -> None:
    """Raise UsageError if an option that takes pairs such as KEY=VALUE sets a key twice."""
    if "=" not in (option.metavar or ""):
        return
    by_key: dict[str, list[str]] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        by_key.setdefault(key.strip(), []).append(value.strip())
    for key, values in by_key.items():
        if len(values) > 1:
            raise UsageError(
                f"{_names(option)} {key} was given {len(values)} times ({_quoted(values)}); remove all but one.",
                ctx=context,
            )


def _check_number(context: Any, option: Any, text: str) -> None:
    """Raise UsageError if a value is not an integer, or is below the option's minimum."""
    # Whether the option or its type has the bound depends on the version of typer.
    holder = option if "min" in vars(option) else option.type
    minimum = getattr(holder, "min", None)
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or (minimum is not None and number < minimum):
        bound = "" if minimum is None else f" of {minimum:g} or more"
        raise UsageError(f"{_names(option)} is '{text}', but must be a whole number{bound}.", ctx=context)


def _quoted(values: Sequence[str]) -> str:
    return " and ".join(f"'{value}'" for value in values)


def _names(option: Any) -> str:
    return " / ".join(f"'{name}'" for name in option.opts)


def _suggest_translate(extra: Sequence[str], values: Mapping[str, Any]) -> str:
    models = " ".join(f"-m {shlex.quote(str(model))}" for model in values.get("model") or ["FOLDER"])
    if len(extra) == 1 and Path(extra[0]).is_file():
        return f"nmt-lstm translate {models} -i {shlex.quote(extra[0])}"
    return f"echo {shlex.quote(' '.join(extra))} | nmt-lstm translate {models}"


def _suggest_train(extra: Sequence[str], values: Mapping[str, Any]) -> str:
    texts = [str(values.get("run_file")), *extra]
    if texts[0].endswith(".toml") or len(texts) > len(_TRAINING_TEXTS):
        return ""
    words = [word for pair in zip(_TRAINING_TEXTS, texts, strict=False) for word in pair]
    return f"nmt-lstm train {shlex.join(words)}"


def _suggest_with(command: str, *names: str) -> Callable[[Sequence[str], Mapping[str, Any]], str]:
    """Return a function that gives stray arguments the names of the options that are missing, if their number agrees."""

    def suggest(extra: Sequence[str], values: Mapping[str, Any]) -> str:
        missing = [name for name in names if not values.get(name.lstrip("-"))]
        if len(extra) != len(missing):
            return ""
        words = []
        for name in names:
            value = values.get(name.lstrip("-")) or []
            for each in value if isinstance(value, (list, tuple)) else [value]:
                words += [name, str(each)]
        words += [word for pair in zip(missing, extra, strict=True) for word in pair]
        return f"nmt-lstm {command} {shlex.join(words)}"

    return suggest


_SUGGESTIONS: dict[str, Callable[[Sequence[str], Mapping[str, Any]], str]] = {
    "translate": _suggest_translate,
    "train": _suggest_train,
    "score": _suggest_with("score", "--model", "--source", "--target"),
    "evaluate": _suggest_with("evaluate", "--hypotheses", "--reference"),
    "export": _suggest_with("export", "--model", "--output"),
    "quickstart": _suggest_with("quickstart", "--output"),
}
