"""A plugin file or folder as it was read: what is run, copied into model folders, and compared with the copies."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.errors import PluginError

__all__ = ["PLUGIN_MODULE", "PluginContents", "loaded_contents", "read_contents"]

# What the modules of plugin files are called, a hash of the path after it.
PLUGIN_MODULE = "nmt_lstm_plugin_file_"
# A plugin is equations: what is larger is the wrong folder, and every model folder would hold a copy of it.
MOST_FILES = 100
MOST_BYTES = 1 << 20
_PASSED_OVER = ("__pycache__",)

# By the name of the module that was made of them. Files are read once, so that what is copied is what was run.
loaded_contents: dict[str, PluginContents] = {}


@dataclass(frozen=True)
class PluginContents:
    """A plugin's files."""

    path: Path
    """Of the file or the folder."""
    files: Mapping[str, bytes]
    """By their paths below the folder, with "/" between the parts; for a file, by its name."""
    is_package: bool
    """Whether the plugin is a folder."""

    @property
    def digest(self) -> str:
        """SHA-256 of names and texts; line ends and the name of a single file do not count."""
        total = hashlib.sha256()
        for name, text in self._comparable().items():
            total.update(f"{name}\0{len(text)}\0".encode())
            total.update(text)
        return total.hexdigest()

    def difference(self, before: PluginContents) -> str:
        """Return what is different in these files from `before`, the first of it; empty if nothing is."""
        old, new = before._comparable(), self._comparable()
        for name in dict.fromkeys([*old, *new]):
            shown = name or self.path.name
            if name not in new:
                return f"'{before.path / name}' is missing in '{self.path}'"
            if name not in old:
                return f"'{shown}' is new in '{self.path}'"
            if old[name] != new[name]:
                return f"'{shown}', {_first_line(old[name], new[name])}"
        return ""

    def _comparable(self) -> dict[str, bytes]:
        return {
            name if self.is_package else "": text.replace(b"\r\n", b"\n")
            for name, text in sorted(self.files.items())
        }


def _first_line(before: bytes, after: bytes) -> str:
    pairs = itertools.zip_longest(before.splitlines(), after.splitlines())
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return f"line {number}: {_shown(new)} instead of {_shown(old)}"
    return "line ends"


def _shown(line: bytes | None) -> str:
    return "nothing" if line is None else repr(line.decode("utf-8", "replace").strip()[:60])


def read_contents(path: str | Path) -> PluginContents:
    """Read a plugin file, or a folder with an ``__init__.py``.

    Raises:
        PluginError: there is none, it cannot be read, or the folder is too large or contains links.
    """
    place = Path(path).resolve()
    try:
        if place.is_dir():
            return _read_folder(place, str(path))
        if not place.is_file():
            raise PluginError(f"plugin file '{path}' does not exist or is not a file.")
        if place.suffix != ".py":
            raise PluginError(f"plugin file '{path}' is not a Python file; its name must end in .py.")
        if place.stat().st_size > MOST_BYTES:
            raise _too_large(str(path))
        return PluginContents(place, {place.name: place.read_bytes()}, is_package=False)
    except OSError as problem:
        raise PluginError(f"plugin '{path}' cannot be read: {problem.strerror}.") from problem


def _read_folder(folder: Path, shown: str) -> PluginContents:
    if not (folder / "__init__.py").is_file():
        raise PluginError(
            f"the plugin folder '{shown}' has no __init__.py; name a Python file, or a folder with an __init__.py that "
            f"imports the modules whose classes are registered."
        )
    files: dict[str, bytes] = {}
    total = 0
    for file in sorted(folder.rglob("*")):
        below = file.relative_to(folder)
        if any(part in _PASSED_OVER or part.startswith(".") for part in below.parts):
            continue
        if file.is_symlink():
            raise PluginError(
                f"the plugin folder '{shown}' contains a link, '{below}'; put the file itself there."
            )
        if not file.is_file():
            continue
        total += file.stat().st_size
        if total > MOST_BYTES or len(files) == MOST_FILES:
            raise _too_large(shown)
        files[below.as_posix()] = file.read_bytes()
    return PluginContents(folder, files, is_package=True)


def _too_large(shown: str) -> PluginError:
    return PluginError(
        f"the plugin '{shown}' is too large: at most {MOST_FILES} files of {MOST_BYTES >> 20} MiB in all are loaded and "
        f"copied into model folders. Install it as a distribution instead (see 'nmt-lstm plugins new')."
    )
