"""Which plugin caused an exception: the one in whose code it was raised, or those that may have caused it elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.registry.plugin_contents import PLUGIN_MODULE, loaded_contents
from nmt_lstm.registry.registry import Registry
from nmt_lstm.registry.source_line import frames_of, own_line

__all__ = ["describe_failure", "describe_suspects"]

OWN_FOLDER = Path(__file__).resolve().parents[1]
# Packages in which no author of a plugin writes.
_NOT_PLUGINS = {"nmt_lstm", "torch", *sys.stdlib_module_names}


class _Plugin(NamedTuple):
    """The code of an author."""

    label: str
    """How messages name it."""
    path: Path
    """Its file or folder."""
    argument: str
    """What ``nmt-lstm plugins check`` is given."""


def describe_failure(problem: BaseException, registries: Iterable[Registry]) -> str:
    """Describe the line of a plugin in which an exception was raised; empty if it was not raised in a plugin.

    Of several plugins that call each other, as a wrapper calls the cell inside it, the innermost is described.
    """
    candidates = [(own_line(problem, plugin.path), plugin) for plugin in _plugins(registries)]
    lines = [(line, plugin) for line, plugin in candidates if line is not None]
    if not lines:
        return ""
    line, plugin = max(lines, key=lambda pair: pair[0].depth)
    location = line.location if str(plugin.path) in plugin.label else f"'{line.file}', line {line.number}"
    reason = " ".join(str(problem).split())[:300].rstrip(".") or "no message"
    # If a function of nmt-lstm that the author called raised it, its arguments are the likely cause.
    called = next((frame for frame in frames_of(problem)[line.depth + 1 :] if _is_own(frame.filename)), None)
    raised = f" (raised in '{called.filename}', line {called.lineno})" if called else ""
    report = ", and if it finds nothing, please report this as a bug in nmt-lstm" if called else ""
    return (
        f"{plugin.label} failed at {location}, '{line.text}': {type(problem).__name__}: {reason}{raised}. "
        f"'nmt-lstm plugins check {plugin.argument}' looks for the cause{report}."
    )


def describe_suspects(registries: Iterable[Registry]) -> str:
    """Name the plugins that may have caused a failure outside their own code; empty if none was loaded.

    A value that a plugin returns may make the framework fail later.
    """
    plugins = {plugin.argument: plugin.label for plugin in _plugins(registries)}
    if not plugins:
        return ""
    commands = " and ".join(f"'nmt-lstm plugins check {argument}'" for argument in plugins)
    return f"the cause may be {' or '.join(plugins.values())}: try {commands}."


def _plugins(registries: Iterable[Registry]) -> Iterator[_Plugin]:
    for contents in loaded_contents.values():
        yield _Plugin(f"the plugin '{contents.path}'", contents.path, str(contents.path))
    for registry in registries:
        for name, loaded in registry.loaded_parts().items():
            # The author's own base classes may be in other modules or distributions.
            modules = {kind.__module__ for kind in loaded.part.__mro__}
            for path in {path for module in modules if (path := _code_path(module)) is not None}:
                yield _Plugin(f"the {loaded.label}", path, name)


def _code_path(module: str) -> Path | None:
    """Return the package folder or the file of a module; None if it is not the code of a plugin."""
    top = module.partition(".")[0]
    if top in _NOT_PLUGINS - {"__main__"} or top.startswith(PLUGIN_MODULE):
        return None
    package = getattr(sys.modules.get(top), "__file__", None)
    if package is not None and Path(package).name == "__init__.py":
        return Path(package).resolve().parent
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).resolve() if file is not None else None


def _is_own(file: str) -> bool:
    return Path(file).resolve().is_relative_to(OWN_FOLDER)
