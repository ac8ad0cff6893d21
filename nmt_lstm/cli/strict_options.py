"""What the parser would let pass or explain poorly: repeated options, invalid numbers, stray arguments."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

__all__ = ["UsageError", "make_strict"]

# typer's own name for it moved between its versions; its subclass has not.
UsageError: Any = typer.BadParameter.__mro__[1]

_WHOLE_NUMBER = "N"  # the metavar of every option that takes one
_TRAINING_TEXTS = ("-s", "-t", "--valid-source", "--valid-target")


def make_strict(command: Any) -> None:
    """Have a command, and all commands below it, look at what was given before it is used.

    The parser takes the last of several values without a word, and an error in a number names no value.

    Args:
        command: typer's command or group.
    """
    original = command.make_parser

    def make_parser(context: Any) -> Any:
        parser = original(context)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            given = [*args]  # the parser takes its list apart
            values, rest, order = parse(args=args)

            def all_values(option: Any) -> list[str]:
                return _all_values(option, parse, given)

            _check(context, values, rest, order, all_values)
            return values, rest, order

        parser.parse_args = parse_args
        return parser

    command.make_parser = make_parser
    for inner in vars(command).get("commands", {}).values():
        make_strict(inner)


def _all_values(option: Any, parse: Callable[..., Any], given: Sequence[str]) -> list[str]:
    """Return all values of an option: each is what the parser takes for the last one of some beginning of the arguments."""
    found: list[str] = []
    for end in range(1, len(given) + 1):
        try:
            values, _, order = parse(args=[*given[:end]])
        except UsageError:  # it ends between a name and its value
            continue
        if sum(each is option for each in order) > len(found):
            found.append(str(values[option.name]))
    return found


def _check(
    context: Any,
    values: Mapping[str, Any],
    rest: Sequence[str],
    order: Sequence[Any],
    all_values: Callable[[Any], list[str]],
) -> None:
    options = [each for each in order if each.param_type_name == "option"]
    if any(option.is_eager for option in options):  # --help and --version answer whatever else there is
        return
    counts = Counter(id(option) for option in options)
    for option in options:
        if option.multiple:
            _check_settings(context, option, values[option.name])
        elif counts[id(option)] > 1:
            raise UsageError(
                f"{_names(option)} was given {counts[id(option)]} times{_shown(option, all_values)}, but takes one value; "
                f"leave out all but one.",
                ctx=context,
            )
        elif option.metavar == _WHOLE_NUMBER:
            _check_number(context, option, values[option.name])
    hint = _HINTS.get(context.info_name)
    if rest and hint is not None and "commands" not in vars(context.command):
        correct = hint(rest, values)
        if correct:
            shown = " ".join(shlex.quote(word) for word in rest)
            raise UsageError(f"Unexpected argument {shown}. To do this: {correct}", ctx=context)


def _check_settings(context: Any, option: Any, given: Sequence[str]) -> None:
    """Refuse a key that is set twice, where an option takes pairs such as KEY=VALUE."""
    if "=" not in (option.metavar or ""):
        return
    by_key: dict[str, list[str]] = {}
    for text in given:
        key, _, value = text.partition("=")
        by_key.setdefault(key.strip(), []).append(value.strip())
    for key, found in by_key.items():
        if len(found) > 1:
            raise UsageError(
                f"{_names(option)} {key} was given {len(found)} times ({_quoted(found)}); leave out all but one.",
                ctx=context,
            )


def _check_number(context: Any, option: Any, text: str) -> None:
    """Refuse a value that is not a whole number, or is too small."""
    # Where the bound is depends on the version of typer.
    holder = option if "min" in vars(option) else option.type
    least = getattr(holder, "min", None)
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or (least is not None and number < least):
        bound = "" if least is None else f" of {least:g} or more"
        raise UsageError(f"{_names(option)} is '{text}', but must be a whole number{bound}.", ctx=context)


def _shown(option: Any, all_values: Callable[[Any], list[str]]) -> str:
    return "" if option.is_flag else f" ({_quoted(all_values(option))})"


def _quoted(values: Sequence[str]) -> str:
    return " and ".join(f"'{value}'" for value in values)


def _names(option: Any) -> str:
    return " / ".join(f"'{name}'" for name in option.opts)


def _for_translate(rest: Sequence[str], values: Mapping[str, Any]) -> str:
    models = " ".join(f"-m {shlex.quote(str(model))}" for model in values.get("model") or ["FOLDER"])
    if len(rest) == 1 and Path(rest[0]).is_file():
        return f"nmt-lstm translate {models} -i {shlex.quote(rest[0])}"
    return f"echo {shlex.quote(' '.join(rest))} | nmt-lstm translate {models}"


def _for_train(rest: Sequence[str], values: Mapping[str, Any]) -> str:
    texts = [str(values.get("run_file")), *rest]
    if texts[0].endswith(".toml") or len(texts) > len(_TRAINING_TEXTS):
        return ""
    named = [f"{name} {shlex.quote(text)}" for name, text in zip(_TRAINING_TEXTS, texts, strict=False)]
    return f"nmt-lstm train {' '.join(named)}"


def _for_files(command: str, *names: str) -> Callable[[Sequence[str], Mapping[str, Any]], str]:
    """Return what proposes a command for as many arguments as it has options that must be named."""

    def propose(rest: Sequence[str], values: Mapping[str, Any]) -> str:
        missing = [name for name in names if not values.get(name.lstrip("-"))]
        if len(rest) != len(missing):
            return ""
        named = [f"{name} {shlex.quote(text)}" for name, text in zip(missing, rest, strict=True)]
        given = [
            f"{name} {shlex.quote(str(each))}"
            for name in names
            for each in _listed(values.get(name.lstrip("-")))
        ]
        return f"nmt-lstm {command} {' '.join([*given, *named])}"

    return propose


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value] if value else []


_HINTS: dict[str, Callable[[Sequence[str], Mapping[str, Any]], str]] = {
    "translate": _for_translate,
    "train": _for_train,
    "score": _for_files("score", "--model", "--source", "--target"),
    "evaluate": _for_files("evaluate", "--hypotheses", "--reference"),
    "export": _for_files("export", "--model", "--output"),
    "quickstart": _for_files("quickstart", "--output"),
}
