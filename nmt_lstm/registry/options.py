"""A constructor's keyword-only parameters as the schema of a part's options."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nmt_lstm.errors import PluginError, nearest

__all__ = ["OptionSpec", "check_options", "read_options", "type_text"]


@dataclass(frozen=True)
class OptionSpec:
    """One option: its name, the annotation of the constructor's parameter, and the default."""

    name: str
    type: Any
    default: Any

    def __str__(self) -> str:
        return f"{self.name}: {type_text(self.type)} = {self.default!r}"


def type_text(annotation: Any) -> str:
    """Write an annotation as a user would: ``float``, ``"tanh" or "relu"``, ``int or None``."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(f'"{value}"' if isinstance(value, str) else repr(value) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_text(argument) for argument in arguments)
    if annotation is type(None):
        return "None"
    if origin in (list, tuple):
        inner = ", ".join(type_text(argument) for argument in arguments if argument is not Ellipsis)
        return f"{origin.__name__} of {inner}"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def read_options(part: type, sizes: Iterable[str], who: str) -> dict[str, OptionSpec]:
    """Return the options of a class: all parameters of its constructor but `sizes`.

    Raises:
        PluginError: an option is not keyword-only, has no type or no default; `who` names class and origin.
    """
    try:
        parameters = inspect.signature(part).parameters
        hints = typing.get_type_hints(part.__init__)  # type: ignore[misc]
    except (NameError, TypeError, ValueError) as problem:
        raise PluginError(f"{who}: the constructor's signature cannot be read ({problem}).") from problem
    reserved, options = set(sizes), {}
    for name, parameter in parameters.items():
        if name in reserved:
            continue
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise PluginError(
                f"{who}: parameter '{parameter}' of the constructor is not keyword-only; "
                f"put it behind '*' and give it a type and a default."
            )
        if name not in hints:
            raise PluginError(f"{who}: option '{name}' has no type; write '{name}: float = ...' or the like.")
        if parameter.default is inspect.Parameter.empty:
            raise PluginError(f"{who}: option '{name}' has no default; an option needs one.")
        options[name] = OptionSpec(name, hints[name], parameter.default)
    return options


def check_options(options: Mapping[str, Any], specs: Mapping[str, OptionSpec], who: str) -> dict[str, Any]:
    """Return `options` with values fitted to their types (TOML's list to a tuple, int to float).

    Raises:
        PluginError: an option is unknown or has another type; all such options are named in one message.
    """
    accepted, problems = {}, []
    for name, value in options.items():
        if name not in specs:
            problems.append(f"unknown option '{name}'.{nearest(name, specs)}")
            continue
        fits, fitted = _fit(value, specs[name].type)
        if not fits:
            problems.append(f"option '{name}' is {value!r}, but must be {type_text(specs[name].type)}.")
        accepted[name] = fitted
    if problems:
        known = "; ".join(str(spec) for spec in specs.values()) or "none"
        raise PluginError(f"{who}: {' '.join(problems)} Accepted options: {known}.")
    return accepted


def _fit(value: Any, annotation: Any) -> tuple[bool, Any]:
    """Return whether `value` has the annotated type, and the value in that type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        return True, value
    if origin is Literal:
        return any(value == allowed and type(value) is type(allowed) for allowed in arguments), value
    if origin in (typing.Union, types.UnionType):
        tried = (_fit(value, argument) for argument in arguments)
        return next((answer for answer in tried if answer[0]), (False, value))
    if origin in (list, tuple):
        return _fit_sequence(value, origin, arguments)
    if annotation is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number, float(value) if number else value
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool), value
    expected = origin or annotation
    return isinstance(expected, type) and isinstance(value, expected), value


def _fit_sequence(value: Any, origin: type, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    if not isinstance(value, (list, tuple)):
        return False, value
    if origin is list or arguments[-1:] == (Ellipsis,):
        arguments = (arguments[0] if arguments else Any,) * len(value)
    if len(arguments) != len(value):
        return False, value
    fitted = [_fit(item, argument) for item, argument in zip(value, arguments, strict=True)]
    return all(fits for fits, _ in fitted), origin(item for _, item in fitted)
