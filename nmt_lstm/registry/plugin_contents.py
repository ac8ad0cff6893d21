"""The contents of a plugin file or folder: they are run, copied into model folders, and compared with copies."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.errors import PluginError

__all__ = ["PLUGIN_MODULE", "PluginContents", "loaded_contents", "read_contents"]

# Beginning of the names of plugin modules; a hash of the path follows.
PLUGIN_MODULE = "nmt_lstm_plugin_file_"
# A plugin is a few equations. A larger folder is the wrong one, and every model folder would contain a copy of it.
MAX_FILES = 100
MAX_BYTES = 1 << 20
_SKIPPED = ("__pycache__",)

# By module name. Files are read once, so that copies are what was run.
loaded_contents: dict[str, PluginContents] = {}


@dataclass(frozen=True)
class PluginContents:
    """A plugin's files."""

    path: Path
    """The file or the folder."""
    files: Mapping[str, bytes]
    """Contents by path below the folder, with "/" as separator; of a single file, by its name."""
    is_package: bool
    """Whether the plugin is a folder."""

    @property
    def digest(self) -> str:
        """SHA-256 of names and contents; line ends and the name of a single file are ignored."""
        total = hashlib.sha256()
        for name, text in self._comparable().items():
            total.update(f"{name}\0{len(text)}\0".encode())
            total.update(text)
        return total.hexdigest()

    def difference(self, before: PluginContents) -> str:
        """Describe the first difference from the earlier contents `before`; empty if there is none."""
        old, new = before._comparable(), self._comparable()
        for name in dict.fromkeys([*old, *new]):
            if name not in new:
                return f"'{before.path / name}' is missing from '{self.path}'"
            if name not in old:
                return f"'{name or self.path.name}' is new in '{self.path}'"
            if old[name] != new[name]:
                return f"'{name or self.path.name}', {_first_different_line(old[name], new[name])}"
        return ""

    def _comparable(self) -> dict[str, bytes]:
        return {
            name if self.is_package else "": text.replace(b"\r\n", b"\n")
            for name, text in sorted(self.files.items())
        }


def _first_different_line(before: bytes, after: bytes) -> str:
    pairs = itertools.zip_longest(before.splitlines(), after.splitlines())
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return f"line {number}: {_quoted(new)} instead of {_quoted(old)}"
    return "line ends"


def _quoted(line: bytes | None) -> str:
    return "nothing" if line is None else repr(line.decode("utf-8", "replace").strip()[:60])


def read_contents(path: str | Path) -> PluginContents:
    """Read a plugin file, or a folder with an ``__init__.py``.

    Raises:
        PluginError: it is missing or cannot be read, or the folder is too large or contains links.
    """
    location = Path(path).resolve()
    try:
        if location.is_dir():
            return _read_folder(location, str(path))
        if not location.is_file():
            raise PluginError(f"plugin file '{path}' does not exist or is not a file.")
        if location.suffix != ".py":
            raise PluginError(f"plugin file '{path}' is not a Python file; its name must end in .py.")
        if location.stat().st_size > MAX_BYTES:
            raise _too_large(str(path))
        return PluginContents(location, {location.name: location.read_bytes()}, is_package=False)
    except OSError as problem:
        raise PluginError(f"plugin '{path}' cannot be read: {problem.strerror}.") from problem


def _read_folder(folder: Path, name: str) -> PluginContents:
    if not (folder / "__init__.py").is_file():
        raise PluginError(
            f"the plugin folder '{name}' has no __init__.py; give a Python file, or a folder with an __init__.py that "
            f"imports the modules that register classes."
        )
    files: dict[str, bytes] = {}
    size = 0
    for file in sorted(folder.rglob("*")):
        below = file.relative_to(folder)
        if any(part in _SKIPPED or part.startswith(".") for part in below.parts):
            continue
        if file.is_symlink():
            raise PluginError(
                f"the plugin folder '{name}' contains a link, '{below}'; replace it with the file itself."
            )
        if not file.is_file():
            continue
        size += file.stat().st_size
        if size > MAX_BYTES or len(files) == MAX_FILES:
            raise _too_large(name)
        files[below.as_posix()] = file.read_bytes()
    return PluginContents(folder, files, is_package=True)


def _too_large(name: str) -> PluginError:
    return PluginError(
        f"the plugin '{name}' is too large: at most {MAX_FILES} files with {MAX_BYTES >> 20} MiB in total are loaded and "
        f"copied into model folders. Install it as a distribution instead (see 'nmt-lstm plugins new')."
    )
