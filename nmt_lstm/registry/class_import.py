"""Importing the class that a name refers to, with errors that say which name is wrong and where to correct it."""

from __future__ import annotations

import importlib
from typing import Any

from nmt_lstm.errors import PluginError
from nmt_lstm.registry.entry import Entry
from nmt_lstm.registry.provenance import check_import

__all__ = ["entry_point_hint", "import_class", "import_part"]


def import_class(target: str) -> Any:
    """Return ``package.module:Class``.

    Raises:
        PluginError: the target does not name a class.
        ImportError: the module cannot be imported.
        AttributeError: the module has no such class.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise PluginError(f"'{target}' does not name a class; write package.module:Class.", value=target)
    part: Any = importlib.import_module(module)
    for attribute in name.split("."):
        part = getattr(part, attribute)
    return part


def import_part(target: str, label: str, entry: Entry | None, group: str) -> Any:
    """Return the class of a cell, an attention or an encoder.

    Args:
        target: ``package.module:Class``.
        label: the part, for messages.
        entry: its entry in the registry; None if it is referred to as ``package.module:Class``.
        group: the entry-point group of its kind.

    Raises:
        PluginError: the class cannot be imported.
        UntrustedPluginError: a model folder names it, and no installed distribution provides it.
    """
    check_import(target, label)
    try:
        return import_class(target)
    except ModuleNotFoundError as problem:
        # If the entry point's own module is missing, the entry point is wrong; otherwise a dependency is missing.
        missing = problem.name or ""
        if entry is None:
            hint = _class_hint(target)
        elif f"{entry.module}.".startswith(f"{missing}."):
            hint = entry_point_hint(entry, group).strip()
        else:
            hint = f"{entry.distribution} requires it: install it with pip."
        raise PluginError(f"{label} cannot be imported: no module named '{missing}'. {hint}") from problem
    except AttributeError as problem:
        raise PluginError(
            f"{label} cannot be loaded: {problem}.{entry_point_hint(entry, group)}"
        ) from problem
    except PluginError as problem:
        raise PluginError(f"{label}: {problem}{entry_point_hint(entry, group)}") from problem
    except Exception as problem:
        raise PluginError(f"{label} fails when imported: {type(problem).__name__}: {problem}") from problem


def entry_point_hint(entry: Entry | None, group: str) -> str:
    """Return a sentence about where to correct an entry point; empty for a part that is not registered by one."""
    if entry is None or not entry.distribution:
        return ""
    return (
        f" The entry point is '{entry.name} = \"{entry.target}\"'; it must be package.module:Class. Correct it in "
        f'[project.entry-points."{group}"] of the pyproject.toml of {entry.distribution}, and reinstall that.'
    )


def _class_hint(target: str) -> str:
    """Say how Python finds ``package.module:Class``, or what to write instead of ``file.py:Class``."""
    module, _, name = target.partition(":")
    if module.endswith(".py"):
        return (
            f"Name the class as package.module:Class, here {module.removesuffix('.py').replace('/', '.')}:{name}; or register "
            f"it in the file under a name, and add --plugin {module}."
        )
    return (
        "Install it, or put PYTHONPATH=FOLDER before the command. If the file registers the class under a name and is loaded "
        "with --plugin FILE, model folders keep a copy of it."
    )
