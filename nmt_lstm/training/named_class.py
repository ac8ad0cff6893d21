"""Classes that a run file names as ``package.module:Class`` outside the registries: optimizers, loggers and callbacks."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nmt_lstm.errors import LIKENESS, ConfigurationError, nearest
from nmt_lstm.registry.provenance import check_import

__all__ = ["checked_options", "class_record", "construct", "import_named", "parameters_of"]


def import_named(target: str, key: str) -> Callable[..., Any]:
    """Return the class ``package.module:Class``; naming it in a run file is the user's word to import it.

    Args:
        target: its name.
        key: the setting that names it, for messages.

    Raises:
        ConfigurationError: it cannot be imported.
        UntrustedPluginError: a model folder names it, and no installed distribution provides it.
    """
    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name:
        raise ConfigurationError(
            f"{key}: '{target}' does not name a class; write package.module:Class.", key=key, value=target
        )
    check_import(target, f"{key} '{target}'")
    try:
        part: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as problem:
        raise ConfigurationError(
            f"{key}: '{target}' cannot be imported, because no module is named '{problem.name}'. Install its package with "
            f"pip, or put PYTHONPATH=FOLDER before the command.",
            key=key,
            value=target,
        ) from problem
    except Exception as problem:
        raise ConfigurationError(
            f"{key}: '{target}' fails when imported: {type(problem).__name__}: {problem}",
            key=key,
            value=target,
        ) from problem
    for attribute in name.split("."):
        try:
            part = getattr(part, attribute)
        except AttributeError as problem:
            classes = [each for each, value in vars(part).items() if isinstance(value, type)]
            # A wrong case is the likeliest error, but difflib counts it as other letters.
            same = [each for each in classes if each.lower() == attribute.lower()]
            raise ConfigurationError(
                f"{key}: '{target}' cannot be imported: '{module_name}' has no class '{attribute}'."
                f"{nearest(attribute, same or classes, likeness=0 if same else LIKENESS)}",
                key=key,
                value=target,
                known=classes,
            ) from problem
    if not callable(part):
        raise ConfigurationError(f"{key}: '{target}' is not a class.", key=key, value=target)
    constructor: Callable[..., Any] = part
    return constructor


def class_record(target: str) -> dict[str, str]:
    """Return what a model folder records about a class: its name, and the distribution and version that it comes from."""
    packages = importlib.metadata.packages_distributions().get(target.partition(":")[0].partition(".")[0], [])
    version = importlib.metadata.version(packages[0]) if packages else ""
    return {"name": target, "distribution": packages[0] if packages else "", "version": version}


def parameters_of(part: Callable[..., Any], key: str) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a constructor by name, without ``*arguments`` and ``**named``.

    Raises:
        ConfigurationError: it has no signature that Python can read.
    """
    try:
        parameters = inspect.signature(part).parameters
    except (TypeError, ValueError) as problem:
        raise ConfigurationError(
            f"{key}: the constructor's signature cannot be read ({problem}).", key=key
        ) from problem
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: parameter for name, parameter in parameters.items() if parameter.kind not in variadic}


def checked_options(
    part: Callable[..., Any],
    options: Mapping[str, Any],
    *,
    label: str,
    key: str,
    reserved: Mapping[str, str],
) -> dict[str, Any]:
    """Return options of a run file as arguments of a constructor: lists become tuples where the default is one.

    Args:
        part: the class.
        options: their values, as in the run file.
        label: the class, for messages.
        key: the setting that contains the options.
        reserved: the parameters that the framework sets, with what to do instead of setting them.

    Raises:
        ConfigurationError: options are unknown, set elsewhere, or have another type than their defaults; all are named.
    """
    parameters = parameters_of(part, key)
    known = [name for name in parameters if name not in reserved]
    accepted, problems = {}, []
    for name, value in options.items():
        if name in reserved:
            problems.append(f"'{name}' is not an option here: {reserved[name]}.")
        elif name not in parameters:
            problems.append(f"unknown option '{name}'.{nearest(name, known)}")
        else:
            default = parameters[name].default
            expected = _expected(default)
            accepted[name] = tuple(value) if isinstance(default, tuple) and isinstance(value, list) else value
            if not isinstance(accepted[name], expected) or (
                isinstance(value, bool) and bool not in expected and object not in expected
            ):
                problems.append(f"option '{name}' is {value!r}, but its default is {default!r}.")
    if problems:
        raise ConfigurationError(
            f"{label}: {' '.join(problems)} Options: {', '.join(known) or 'none'}.",
            key=key,
            value=dict(options),
            known=known,
        )
    return accepted


def construct(part: Callable[..., Any], *arguments: Any, label: str, key: str, **named: Any) -> Any:
    """Call a constructor of someone else's class.

    Raises:
        ConfigurationError: it raises an exception.
    """
    try:
        return part(*arguments, **named)
    except ConfigurationError:
        raise
    except Exception as problem:
        reason = " ".join(str(problem).split())[:300].rstrip(".") or "no message"
        raise ConfigurationError(
            f"{label} cannot be built: {type(problem).__name__}: {reason}.", key=key
        ) from problem


def _expected(default: Any) -> tuple[type, ...]:
    """Return the types that a value may have instead of a default."""
    if isinstance(default, bool):
        return (bool,)
    if isinstance(default, (int, float)):
        return (int, float)
    if isinstance(default, (str, tuple)):
        return (type(default),)
    return (object,)  # None, or no default: the class itself decides
