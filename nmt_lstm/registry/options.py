"""The options of a cell, an attention or an encoder: the keyword-only parameters of its constructor."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from nmt_lstm.errors import PluginError, nearest

__all__ = ["OptionSpec", "check_options", "read_options", "type_text"]


@dataclass(frozen=True)
class OptionSpec:
    """An option: its name, and the type and default of the constructor's parameter."""

    name: str
    type: Any
    default: Any

    def __str__(self) -> str:
        return f"{self.name}: {type_text(self.type)} = {self.default!r}"


def type_text(annotation: Any) -> str:
    """Return an annotation in words: ``float``, ``"tanh" or "relu"``, ``int or None``."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(f'"{value}"' if isinstance(value, str) else repr(value) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_text(argument) for argument in arguments)
    if annotation is type(None):
        return "None"
    if origin in (list, tuple):
        items = ", ".join(type_text(argument) for argument in arguments if argument is not Ellipsis)
        return f"{origin.__name__} of {items}"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def read_options(part: type, sizes: Iterable[str], label: str) -> dict[str, OptionSpec]:
    """Return the options of a class: all parameters of its constructor except `sizes`.

    Raises:
        PluginError: an option is not keyword-only, or lacks a type or a default; `label` names the class and its origin.
    """
    try:
        parameters = inspect.signature(part).parameters
        hints = typing.get_type_hints(part.__init__)  # type: ignore[misc]
    except (NameError, TypeError, ValueError) as problem:
        raise PluginError(f"{label}: the constructor's signature cannot be read ({problem}).") from problem
    reserved, options = set(sizes), {}
    for name, parameter in parameters.items():
        if name in reserved:
            continue
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise PluginError(
                f"{label}: parameter '{parameter}' of the constructor is not keyword-only; "
                f"put it after '*', with a type and a default."
            )
        if name not in hints:
            raise PluginError(
                f"{label}: option '{name}' has no type; write, for example, '{name}: float = ...'."
            )
        if parameter.default is inspect.Parameter.empty:
            raise PluginError(f"{label}: option '{name}' has no default; every option needs one.")
        options[name] = OptionSpec(name, hints[name], parameter.default)
    return options


def check_options(options: Mapping[str, Any], specs: Mapping[str, OptionSpec], label: str) -> dict[str, Any]:
    """Return `options` with their values converted to their types (a list to a tuple, an int to a float).

    Raises:
        PluginError: options are unknown or of the wrong type; the message names all of them.
    """
    accepted, problems = {}, []
    for name, value in options.items():
        if name not in specs:
            problems.append(f"unknown option '{name}'.{nearest(name, specs)}")
            continue
        try:
            accepted[name] = _converted(value, specs[name].type)
        except ValidationError:
            problems.append(f"option '{name}' is {value!r}, but must be {type_text(specs[name].type)}.")
    if problems:
        known = "; ".join(str(spec) for spec in specs.values()) or "none"
        raise PluginError(f"{label}: {' '.join(problems)} Accepted options: {known}.")
    return accepted


def _converted(value: Any, annotation: Any) -> Any:
    """Return a value converted to a type as strict JSON is: lists to tuples and int to float, but not bool to int.

    Raises:
        ValidationError: the value does not have the type.
    """
    adapter: TypeAdapter[Any]
    try:
        adapter = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # a class with a configuration of its own, such as a data class
        adapter = TypeAdapter(annotation)
    try:
        text = json.dumps(value)
    except TypeError:  # an object of Python, which no run file contains
        return adapter.validate_python(value, strict=True)
    return adapter.validate_json(text, strict=True)
