"""Whose mistake an exception shows: the line of a plugin in which it was raised, or the plugins that may be behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.registry.plugin_contents import PLUGIN_MODULE, loaded_contents
from nmt_lstm.registry.registry import Registry
from nmt_lstm.registry.source_line import frames_of, own_line

__all__ = ["failure_of_a_plugin", "suspicion"]

OWN_FOLDER = Path(__file__).resolve().parents[1]
# Where no author of a cell or an attention writes.
_NOBODYS = {"nmt_lstm", "torch", *sys.stdlib_module_names}


class _Plugin(NamedTuple):
    """Code of an author, and what it is called."""

    who: str
    place: Path
    """Its file or folder."""
    argument: str
    """What ``nmt-lstm plugins check`` takes."""


def failure_of_a_plugin(problem: BaseException, registries: Iterable[Registry]) -> str:
    """Say in which line of a plugin an exception was raised; empty if no plugin's code was running.

    Of several plugins that called each other, as a wrapper calls the cell inside, it is the innermost.
    """
    lines = [(own_line(problem, plugin.place), plugin) for plugin in _plugins(registries)]
    found = [(line, plugin) for line, plugin in lines if line is not None]
    if not found:
        return ""
    line, plugin = max(found, key=lambda pair: pair[0].depth)
    named = str(plugin.place) in plugin.who
    place = line.place if named else f"'{line.file}', line {line.number}"
    reason = " ".join(str(problem).split())[:300].rstrip(".") or "no message"
    # A function of ours that the author called raised this, mostly because of its arguments: the mistake is seldom there.
    called = next((frame for frame in frames_of(problem)[line.depth + 1 :] if _is_own(frame.filename)), None)
    raised = f" (raised in '{called.filename}', line {called.lineno})" if called else ""
    report = ", and if it finds nothing, please report this as a mistake in nmt-lstm" if called else ""
    return (
        f"{plugin.who} failed at {place}, '{line.text}': {type(problem).__name__}: {reason}{raised}. "
        f"'nmt-lstm plugins check {plugin.argument}' looks for what is wrong{report}."
    )


def suspicion(registries: Iterable[Registry]) -> str:
    """Say which plugins may be behind a failure that was raised in none of them; empty if none was loaded.

    What a plugin returns may make the framework fail later, in a line of the framework.
    """
    plugins = {plugin.argument: plugin.who for plugin in _plugins(registries)}
    if not plugins:
        return ""
    commands = " and ".join(f"'nmt-lstm plugins check {argument}'" for argument in plugins)
    return f"this may be a mistake in {' or '.join(plugins.values())}: try {commands}."


def _plugins(registries: Iterable[Registry]) -> Iterator[_Plugin]:
    for contents in loaded_contents.values():
        yield _Plugin(f"the plugin '{contents.path}'", contents.path, str(contents.path))
    for registry in registries:
        for name, loaded in registry.loaded().items():
            # The author's own bases may be in other modules or distributions than the class.
            modules = {kind.__module__ for kind in loaded.part.__mro__}
            for place in {place for module in modules if (place := _place(module)) is not None}:
                yield _Plugin(f"the {loaded.who}", place, name)


def _place(module: str) -> Path | None:
    """Return the folder of the package that a module belongs to, or its file; None if no author of a plugin wrote it."""
    top = module.partition(".")[0]
    if top in _NOBODYS - {"__main__"} or top.startswith(PLUGIN_MODULE):
        return None
    package = getattr(sys.modules.get(top), "__file__", None)
    if package is not None and Path(package).name == "__init__.py":
        return Path(package).resolve().parent
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).resolve() if file is not None else None


def _is_own(file: str) -> bool:
    return Path(file).resolve().is_relative_to(OWN_FOLDER)
