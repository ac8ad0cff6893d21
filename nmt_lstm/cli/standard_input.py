"""Standard input as an input file: it can be read only once, so only one option of a command may name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.columns import file_of

__all__ = ["check_read_once"]

# A pipe that is opened a second time by one of these names still is the same pipe.
_NAMES = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
_OUTPUTS = frozenset({"output_file", "access_log"})
# Commands with other inputs that read stdin if this option is left out.
_DEFAULTS = {"translate": "input_file", "rescore": "input_file"}


def check_read_once(command: str, parameters: Sequence[Any], values: Mapping[str, Any]) -> None:
    """Check that at most one option names standard input; two would read every other line each, or nothing.

    Args:
        command: name of the command.
        parameters: typer's, of the command.
        values: what the command line gives them, by name.

    Raises:
        ConfigurationError: several options name it, or one does and another, which is left out, reads it by default.
    """
    inputs = {
        each.name: each
        for each in parameters
        if (each.metavar or "").startswith("FILE") and each.name not in _OUTPUTS
    }
    named = [
        (_short_name(each), text)
        for name, each in inputs.items()
        for text in _names_of_stdin(values.get(name))
    ]
    by_default = inputs.get(_DEFAULTS.get(command, ""))
    if named and by_default is not None and values.get(by_default.name) is None:
        (option, text), default = named[0], _short_name(by_default)
        raise ConfigurationError(
            f"standard input can be read only once: {option} names '{text}', and {default}, which is left out, reads it, too; "
            f"name a file with {default}.",
            key=option,
            value=text,
        )
    if len(named) > 1:
        (first, text), (second, other) = named[:2]
        both = f"both name '{text}'" if text == other else f"name '{text}' and '{other}'"
        who = f"two values of {first}" if first == second else f"{first} and {second}"
        raise ConfigurationError(
            f"standard input can be read only once: {who} {both}; save one of the texts as a file.",
            key=second,
            value=other,
        )


def _names_of_stdin(value: Any) -> Iterator[str]:
    for text in value if isinstance(value, (list, tuple)) else [value]:
        if text is not None and str(file_of(Path(text))) in _NAMES:
            yield str(text)


def _short_name(option: Any) -> str:
    return str(min(option.opts, key=len))
