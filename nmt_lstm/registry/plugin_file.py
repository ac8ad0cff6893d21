"""Loading a plugin file or folder, as ``--plugin my_cell.py`` or ``--plugin my_cell/`` does."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from nmt_lstm.errors import NmtLstmError, PluginError
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.registry.entry import Entry
from nmt_lstm.registry.plugin_contents import PLUGIN_MODULE, PluginContents, loaded_contents, read_contents
from nmt_lstm.registry.registry import Registry
from nmt_lstm.registry.source_line import own_line

__all__ = ["load_plugin_module"]


def load_plugin_module(path: str | Path, registries: Iterable[Registry]) -> list[Entry]:
    """Run a file or a folder as a module of its own and return what it registered in `registries`.

    Raises:
        PluginError: the file is missing, fails, or registers nothing.
    """
    contents = read_contents(path)
    # The name depends only on the path, so that loading a file again replaces what it registered.
    name = f"{PLUGIN_MODULE}{sha256_of_content(str(contents.path))[:12]}"
    _forget(name)
    sys.meta_path.insert(0, _Importer(name, contents))
    loaded_contents[name] = contents
    try:
        importlib.import_module(name)
    except NmtLstmError:
        _forget(name)
        raise
    except Exception as problem:
        _forget(name)
        raise PluginError(f"plugin file '{path}' failed: {_describe(problem, contents)}") from problem
    entries = [
        entry
        for registry in registries
        for entry in registry.decorated_entries()
        if entry.module == name or entry.module.startswith(f"{name}.")
    ]
    if not entries:
        raise PluginError(
            f"plugin file '{path}' registered nothing; decorate its class with "
            '@CELLS.register("name"), @ATTENTIONS.register("name") or @ENCODERS.register("name") from nmt_lstm.'
        )
    return entries


def _forget(name: str) -> None:
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not (isinstance(finder, _Importer) and finder.name == name)
    ]
    loaded_contents.pop(name, None)


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the modules of one plugin from the bytes that were read.

    Python's own loader would prefer a bytecode cache beside the file. In a model folder that would be a program that
    nobody can read before trusting it.
    """

    def __init__(self, name: str, contents: PluginContents) -> None:
        self.name = name
        self.contents = contents
        self._files: dict[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the import specification of a module of the plugin; None for any other module."""
        if fullname != self.name and not fullname.startswith(f"{self.name}."):
            return None
        if not self.contents.is_package:
            return self._spec(fullname, self.contents.path.name, None) if fullname == self.name else None
        words = fullname.removeprefix(self.name).split(".")[1:]
        package, module = "/".join([*words, "__init__.py"]), "/".join(words) + ".py"
        if package in self.contents.files:
            return self._spec(fullname, package, [str(self.contents.path.joinpath(*words))])
        return self._spec(fullname, module, None) if module in self.contents.files else None

    def _spec(self, fullname: str, file: str, locations: list[str] | None) -> ModuleSpec | None:
        self._files[fullname] = file
        return importlib.util.spec_from_file_location(
            fullname, self._path(file), loader=self, submodule_search_locations=locations
        )

    def _path(self, file: str) -> Path:
        return self.contents.path / file if self.contents.is_package else self.contents.path

    def exec_module(self, module: ModuleType) -> None:
        """Run the text of a module."""
        file = self._files[module.__name__]
        program = compile(self.contents.files[file], str(self._path(file)), "exec", dont_inherit=True)
        exec(program, module.__dict__)  # noqa: S102 - the user named the file


def _describe(problem: Exception, contents: PluginContents) -> str:
    if isinstance(problem, SyntaxError):
        file = f"'{Path(problem.filename).name}', " if contents.is_package and problem.filename else ""
        return f"{file}line {problem.lineno}: {problem.msg}."
    line = own_line(problem, contents.path)
    location = f"{line.location}: " if line else ""
    return f"{location}{type(problem).__name__}: {problem}{_import_hint(problem, contents)}"


def _import_hint(problem: Exception, contents: PluginContents) -> str:
    """Return advice if a plugin tried to import a module beside it; otherwise an empty string."""
    if not isinstance(problem, ImportError):
        return ""
    path = contents.path
    if contents.is_package:
        missing = (problem.name or "").partition(".")[0]
        inside = {f"{missing}.py", f"{missing}/__init__.py"} & contents.files.keys()
        return f". Inside a plugin folder, write 'from .{missing} import ...'." if missing and inside else ""
    beside = (problem.name or "").partition(".")[0]
    relative = "relative import" in str(problem)
    candidates = [path.parent / f"{beside}.py", path.parent / beside / "__init__.py"] if beside else []
    if relative or any(file.is_file() for file in candidates):
        return (
            f". A plugin file is loaded alone. Make it a folder, such as {path.stem}/, with {path.stem}.py as its "
            f"__init__.py and the other module beside it; write 'from .{beside or 'module'} import ...' in it, and "
            f"pass the folder: --plugin {path.stem}/"
        )
    return ""
