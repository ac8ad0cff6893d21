"""Running a plugin file given as ``--plugin file.py``."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from nmt_lstm.errors import NmtLstmError, PluginError
from nmt_lstm.registry.registry import PLUGIN_FILE_MODULE, Entry, Registry

__all__ = ["load_plugin_module"]


def load_plugin_module(path: str | Path, registries: Iterable[Registry]) -> list[Entry]:
    """Run the file as a module of its own and return what it registered in `registries`.

    Raises:
        PluginError: the file is missing, fails, or registers nothing.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise PluginError(f"plugin file '{path}' does not exist or is not a file.")
    # The name depends on the path alone, so that running a file again replaces what it registered.
    name = f"{PLUGIN_FILE_MODULE}{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"plugin file '{path}' is not a Python file; its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except NmtLstmError:
        del sys.modules[name]
        raise
    except Exception as problem:
        del sys.modules[name]
        raise PluginError(f"plugin file '{path}' failed: {_describe(problem, file)}") from problem
    loaded = [entry for registry in registries for entry in registry.decorated() if entry.module == name]
    if not loaded:
        raise PluginError(
            f"plugin file '{path}' registered nothing; decorate its class with "
            '@CELLS.register("name") or @ATTENTIONS.register("name") from nmt_lstm.registry.'
        )
    return loaded


def _describe(problem: Exception, file: Path) -> str:
    if isinstance(problem, SyntaxError):
        return f"line {problem.lineno}: {problem.msg}."
    lines = [
        frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(file)
    ]
    place = f"line {lines[-1]}: " if lines else ""
    return f"{place}{type(problem).__name__}: {problem}"
