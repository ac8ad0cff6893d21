"""Which code a model folder may cause to be imported: what installed distributions provide, without importing it."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.machinery import PathFinder
from pathlib import Path

from nmt_lstm.errors import UntrustedPluginError

__all__ = ["check_import", "import_root", "is_installed", "module_files", "named_by", "trust_folder"]

# The model folder whose settings name the part that is built; None if the user named it.
_folder: ContextVar[Path | None] = ContextVar("nmt_lstm_model_folder", default=None)
_trusted: set[Path] = set()


@contextmanager
def named_by(folder: Path) -> Iterator[None]:
    """Within this context, import only what installed distributions provide, unless the folder is trusted.

    A model folder may come from anywhere, and so may the names in it: every part that they name, including the inner
    cell of a wrapper, is built in this context.
    """
    folder = folder.resolve()
    token = _folder.set(None if folder in _trusted else folder)
    try:
        yield
    finally:
        _folder.reset(token)


def trust_folder(folder: Path) -> None:
    """Allow the classes that a model folder names to be imported from anywhere, as its user decided."""
    _trusted.add(folder.resolve())


def check_import(target: str, label: str) -> None:
    """Refuse a class that a model folder names, unless importing it runs only installed code.

    Args:
        target: ``package.module:Class``.
        label: the part, for the message.

    Raises:
        UntrustedPluginError: no installed distribution provides the class, and the folder is not trusted.
    """
    folder, module = _folder.get(), target.partition(":")[0]
    # Modules that are already imported are not run again.
    if folder is None or module in sys.modules or is_installed(target, folder):
        return
    files = module_files(module)
    location = (
        f"Python would import it from '{files[-1]}'"
        if files
        else "Python does not find it; put PYTHONPATH=FOLDER before the command"
    )
    raise UntrustedPluginError(
        f"{label} is named by the model folder '{folder}', but no installed distribution provides it ({location}). "
        f"Install the distribution that it belongs to; or, if you trust the folder and that code, add --trust-plugins.",
        target=target,
        file=files[-1] if files else None,
    )


def is_installed(target: str, folder: Path) -> bool:
    """Whether a single installed distribution provides everything that importing a class would run.

    Metadata in the model folder or in the working directory is ignored: ``python -m`` puts the working directory on the
    module path, and it may be the model folder.

    Args:
        target: ``package.module:Class``.
        folder: the model folder.
    """
    module = target.partition(":")[0]
    if module.partition(".")[0] == "nmt_lstm":
        return True
    files, working_directory, folder = module_files(module), Path.cwd().resolve(), folder.resolve()
    for distribution in importlib.metadata.distributions() if files else ():
        try:
            home = Path(str(distribution.locate_file(""))).resolve()
            is_elsewhere = home != working_directory and not home.is_relative_to(folder)
            if is_elsewhere and _provides(distribution, home, module, files):
                return True
        except (OSError, ValueError):  # broken metadata provides nothing
            continue
    return False


def module_files(module: str) -> list[Path]:
    """Return the files that importing a module would run, its packages first; empty if that cannot be determined."""
    files: list[Path] = []
    locations: Sequence[str] | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        try:
            spec = (
                importlib.util.find_spec(name) if locations is None else PathFinder.find_spec(name, locations)
            )
        except (ImportError, ValueError):
            return []
        if spec is None:
            return []
        if spec.has_location and spec.origin:
            files.append(Path(spec.origin).resolve())
        elif spec.submodule_search_locations is None:
            return []
        locations = list(spec.submodule_search_locations or ())
    return files


def import_root(target: str) -> Path | None:
    """Return the folder that Python imports the module or package of a class from; None if it cannot be determined.

    Args:
        target: ``package.module:Class``.
    """
    module = target.partition(":")[0]
    files = module_files(module)
    if not files:
        return None
    depth = module.count(".") + (files[-1].name == "__init__.py")
    return files[-1].parents[depth]


def _provides(
    distribution: importlib.metadata.Distribution, home: Path, module: str, files: Sequence[Path]
) -> bool:
    top = module.partition(".")[0]
    record = distribution.read_text("RECORD")
    # A search in the text of RECORD rules out most distributions before their long lists are parsed.
    if record is not None and not any(word in record for word in (top, ".pth", "__editable__")):
        return False
    recorded = distribution.files
    if recorded is None:  # no RECORD, as in some system packages, but perhaps a list of its packages
        listed = (distribution.read_text("top_level.txt") or "").split()
        return top in listed and all(file.is_relative_to(home) for file in files)
    names = {file.name for file in files}
    own = {Path(str(entry.locate())).resolve() for entry in recorded if entry.name in names}
    if own.issuperset(files):
        return True
    # Editable installations (PEP 660) record how the sources are found instead of the sources.
    for entry in recorded:
        located = Path(str(entry.locate()))
        if entry.suffix == ".pth":
            roots = [Path(line) for line in _lines(located) if Path(line).is_absolute()]
            if any(_lie_below(root.resolve(), module, files) for root in roots):
                return True
        elif entry.name.startswith("__editable__") and entry.name.endswith("_finder.py"):
            package = _mapping(located).get(top)
            if package is not None and _lie_below(Path(package).resolve().parent, module, files):
                return True
    return False


def _lie_below(root: Path, module: str, files: Sequence[Path]) -> bool:
    """Whether the files are those of a module whose top-level package is in `root`."""
    words = module.split(".")
    for file in files:
        if not file.is_relative_to(root):
            return False
        parts = file.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if list(parts) != words[: len(parts)] or not parts:
            return False
    return True


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _mapping(finder: Path) -> dict[str, str]:
    """Return the MAPPING of packages to folders in a finder that setuptools wrote, without running the finder."""
    for node in ast.parse("\n".join(_lines(finder))).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        is_mapping = any(isinstance(target, ast.Name) and target.id == "MAPPING" for target in targets)
        if is_mapping and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            values = ast.literal_eval(node.value)
            return {str(key): str(value) for key, value in dict(values).items()}
    return {}
