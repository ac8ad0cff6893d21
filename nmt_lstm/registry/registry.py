"""One table of named parts, filled by a decorator and by entry points of installed distributions."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from nmt_lstm.errors import PluginError, nearest
from nmt_lstm.registry.entry import Entry, entry_points
from nmt_lstm.registry.options import OptionSpec, check_options, read_options
from nmt_lstm.registry.plugin_contents import PluginContents, loaded_contents
from nmt_lstm.registry.provenance import check_import

__all__ = ["Registry"]

Part = TypeVar("Part", bound=type)


class LoadedPart(NamedTuple):
    """A class that was asked for."""

    part: type
    who: str
    """The words that name it and its origin in messages."""


class Registry:
    """Named classes of one kind.

    Args:
        kind: what one part is called in messages, such as "cell".
        group: entry-point group of installed parts.
        base: "package.module:Class" that every part must derive from; imported only when a part is loaded.
        sizes: constructor parameters that the framework fills, or a subclass; all others are options.
    """

    def __init__(self, *, kind: str, group: str, base: str, sizes: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.group = group
        self.base = base
        self.sizes = sizes
        self._decorated: dict[str, type] = {}
        self._loaded: dict[str, LoadedPart] = {}

    def register(self, name: str) -> Callable[[Part], Part]:
        """Return a class decorator that registers under `name`.

        Registering a class again (a notebook's cell run twice) replaces it.

        Raises:
            PluginError: another class has the name already, or the name cannot be a name.
        """
        if not name or not name.replace("_", "").replace("-", "").isalnum():
            raise PluginError(f"'{name}' cannot name a {self.kind}: use letters, digits, '_' and '-'.")

        def decorate(part: Part) -> Part:
            known = self._decorated.get(name)
            if known is not None and _target(known) != _target(part):
                raise self._conflict(
                    name, [self._decorated_entry(name, known), self._decorated_entry(name, part)]
                )
            self._decorated[name] = part
            return part

        return decorate

    def decorated(self) -> list[Entry]:
        """Return the entries that came by the decorator."""
        return [self._decorated_entry(name, part) for name, part in sorted(self._decorated.items())]

    def loaded(self) -> dict[str, LoadedPart]:
        """Return the parts that were asked for so far, by name."""
        return dict(self._loaded)

    def names(self) -> list[str]:
        """Return all known names, sorted. Imports no part."""
        return sorted({point.name for point, _ in self._entry_points()} | set(self._decorated))

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return an entry for each name (or the one name given) and origin, sorted by name. Imports no part."""
        points = [(point, found) for point, found in self._entry_points() if name in (None, point.name)]
        installed = [self._installed_entry(point, found) for point, found in points]
        targets = {(entry.name, entry.target) for entry in installed}
        own = [
            entry
            for entry in self.decorated()
            if name in (None, entry.name) and (entry.name, entry.target) not in targets
        ]
        return sorted([*installed, *own], key=lambda entry: (entry.name, entry.origin))

    def get(self, name: str) -> Any:
        """Return the class registered as `name`, or the class ``package.module:Class``.

        Raises:
            PluginError: unknown, registered by two origins, not importable, or not a part of this kind.
        """
        part, who = self._load(name)
        read_options(part, self.sizes, who)
        return part

    def options(self, name: str) -> dict[str, OptionSpec]:
        """Return the options of a part, read from its constructor.

        Raises:
            PluginError: as `get`.
        """
        part, who = self._load(name)
        return read_options(part, self.sizes, who)

    def check(self, name: str, options: Mapping[str, Any]) -> None:
        """Refuse what `build` would refuse before it calls the constructor.

        Raises:
            PluginError: as `build`.
        """
        part, who = self._load(name)
        check_options(options, read_options(part, self.sizes, who), who)

    def build(
        self, name: str, *positional: int, options: Mapping[str, Any] | None = None, **sizes: int
    ) -> Any:
        """Construct a part from its sizes and checked options.

        Raises:
            PluginError: as `get`; an option is unknown, of a wrong type, or refused by the class.
        """
        part, who = self._load(name)
        accepted = check_options(options or {}, read_options(part, self.sizes, who), who)
        try:
            return part(*positional, **sizes, **accepted)
        except ValueError as problem:
            given = ", ".join(f"{key} = {value!r}" for key, value in accepted.items()) or "its defaults"
            raise PluginError(f"{who} cannot be built with {given}: {problem}") from problem

    def record(self, name: str) -> dict[str, str]:
        """Return what a model folder keeps of a part: name, target, distribution and version."""
        entry = self._find(name)
        if entry is None:
            part = self.get(name)
            package = part.__module__.partition(".")[0]
            owners = importlib.metadata.packages_distributions().get(package, [""])
            version = importlib.metadata.version(owners[0]) if owners[0] else ""
            return {"name": name, "target": name, "distribution": owners[0], "version": version}
        return {
            "name": name, "target": entry.target, "distribution": entry.distribution, "version": entry.version
        }  # fmt: skip

    def plugin_contents(self, name: str) -> PluginContents | None:
        """Return what a part was loaded from by `load_plugin_file`, as it was then; None for any other part."""
        part = self._decorated.get(name)
        return None if part is None else loaded_contents.get(part.__module__.partition(".")[0])

    def require(self, record: Mapping[str, str]) -> Any:
        """Return the class that `record` names, as read from a model folder.

        Raises:
            PluginError: it is not there (the message says what to install) or cannot be loaded.
        """
        name, distribution, version = (record.get(key, "") for key in ("name", "distribution", "version"))
        if ":" in name or name in self.names():
            return self.get(name)
        if distribution:
            remedy = f"Install it: pip install '{distribution}=={version}'."
        else:
            remedy = f"It was loaded from a file ({record.get('target', '')}): name that file with --plugin."
        raise PluginError(f"the model needs the {self.kind} '{name}', which is not installed. {remedy}")

    def other_protocol(self, name: str) -> PluginError | None:
        """Return the error that refuses a part written for another version of the protocol; None if there is none."""
        family, _, protocol = self.group.rpartition(".")
        for point, found in entry_points(lambda group: group.startswith(f"{family}.v")):
            if point.name == name and point.group != self.group:
                entry, theirs = self._installed_entry(point, found), point.group.rpartition(".")[2]
                return PluginError(
                    f"the {self.kind} '{name}' ({entry.origin}) is written for the protocol {theirs}, but this nmt-lstm "
                    f"reads {protocol}. Install a version of {entry.distribution} that names '{self.group}'."
                )
        return None

    def _entry_points(
        self,
    ) -> Iterator[tuple[importlib.metadata.EntryPoint, importlib.metadata.Distribution]]:
        return entry_points(lambda group: group == self.group)

    def _find(self, name: str) -> Entry | None:
        """Return the entry of a registered name, None for ``package.module:Class``."""
        if ":" in name:
            return None
        matches = self.entries(name)
        if not matches:
            raise self._unknown(name)
        if len(matches) == 1:
            return matches[0]
        decorated = self._decorated.get(name)
        installed = [entry for entry in matches if entry.distribution]
        # An entry point may name a re-export of the very class that the decorator registered.
        if len(installed) == 1 and decorated is not None:
            (only,) = installed
            if self._import_part(only.target, self._who(name, only), only) is decorated:
                return only
        raise self._conflict(name, matches)

    def _load(self, name: str) -> tuple[type, str]:
        """Return the class, and the words that name it and its origin in messages."""
        entry = self._find(name)
        target = entry.target if entry else name
        who = self._who(name, entry)
        if entry is not None and not entry.distribution:
            part: Any = self._decorated[name]
        else:
            part = self._import_part(target, who, entry)
        base = _import(self.base)
        if not isinstance(part, type) or not issubclass(part, base):
            raise PluginError(
                f"{who}: {target} is not a subclass of {self.base.replace(':', '.')}.{self._entry_point_hint(entry)}"
            )
        self._loaded[name] = LoadedPart(part, who)
        return part, who

    def _import_part(self, target: str, who: str, entry: Entry | None) -> Any:
        check_import(target, who)
        try:
            return _import(target)
        except ModuleNotFoundError as problem:
            missing = problem.name or ""
            if entry is not None and f"{entry.module}.".startswith(f"{missing}."):
                hint = self._entry_point_hint(entry).strip()
            elif entry is not None:
                hint = f"{entry.distribution} needs it: install it with pip."
            else:
                hint = _class_hint(target)
            raise PluginError(f"{who} cannot be imported: no module named '{missing}'. {hint}") from problem
        except AttributeError as problem:
            raise PluginError(
                f"{who} cannot be loaded: {problem}.{self._entry_point_hint(entry)}"
            ) from problem
        except PluginError as problem:
            raise PluginError(f"{who}: {problem}{self._entry_point_hint(entry)}") from problem
        except Exception as problem:
            raise PluginError(f"{who} fails when imported: {type(problem).__name__}: {problem}") from problem

    def _who(self, name: str, entry: Entry | None) -> str:
        """Return the words that name a part and its origin in messages."""
        return f"{self.kind} '{name}' ({entry.origin})" if entry else f"{self.kind} '{name}'"

    def _entry_point_hint(self, entry: Entry | None) -> str:
        """Say where an entry point is corrected; nothing of a part that was named otherwise."""
        if entry is None or not entry.distribution:
            return ""
        return (
            f" The entry point is '{entry.name} = \"{entry.target}\"'; it must be package.module:Class. Correct it below "
            f'[project.entry-points."{self.group}"] in the pyproject.toml of {entry.distribution}, and install that again.'
        )

    def _installed_entry(
        self, point: importlib.metadata.EntryPoint, found: importlib.metadata.Distribution
    ) -> Entry:
        name, version = found.metadata["Name"], found.metadata["Version"] or "?"
        return Entry(point.name, f"{name} {version}", name, version, point.value)

    def _decorated_entry(self, name: str, part: type) -> Entry:
        module = sys.modules.get(part.__module__)
        origin = getattr(module, "__file__", None) or f"module {part.__module__}"
        return Entry(name, origin, "", "", _target(part), part.__doc__ or "")

    def _conflict(self, name: str, entries: list[Entry]) -> PluginError:
        origins = " and ".join(f"{entry.origin} ({entry.target})" for entry in entries)
        decorated = [entry for entry in entries if not entry.distribution]
        if decorated:  # the one that came last, which its author can still name as they like
            remedy = (
                f"in {decorated[-1].origin}, give it a different name in @{self.kind.upper()}S.register(...)."
            )
        else:
            remedy = "uninstall or rename one of them, or name the class itself as package.module:Class."
        return PluginError(f"the {self.kind} '{name}' is registered by {origins}; {remedy}")

    def _unknown(self, name: str) -> PluginError:
        entries = self.entries()
        if not entries:
            return PluginError(
                f"unknown {self.kind} '{name}': none is registered; is nmt-lstm installed (pip install .)?"
            )
        other = self.other_protocol(name)
        if other is not None:
            return other
        known = ", ".join(f"{entry.name} ({entry.origin})" for entry in entries)
        return PluginError(
            f"unknown {self.kind} '{name}'.{nearest(name, [entry.name for entry in entries])} Known: {known}. "
            f"Others are installed with pip, loaded with --plugin FILE, or named as package.module:Class."
        )


def _class_hint(target: str) -> str:
    """Say how Python finds the class ``package.module:Class``, or what to write for ``file.py:Class``."""
    module, _, name = target.partition(":")
    if module.endswith(".py"):
        return (
            f"A class is named as package.module:Class, here {module.removesuffix('.py').replace('/', '.')}:{name}; to load a "
            f"file, register the class in it by a name, and add --plugin {module}."
        )
    return (
        "Install it, or tell Python in which folder it is: PYTHONPATH=FOLDER before the command. A file of which model folders "
        "keep a copy registers its class by a name and is loaded with --plugin FILE."
    )


def _target(part: type) -> str:
    return f"{part.__module__}:{part.__qualname__}"


def _import(target: str) -> Any:
    module, _, name = target.partition(":")
    if not module or not name:
        raise PluginError(f"'{target}' does not name a class; write package.module:Class.")
    part: Any = importlib.import_module(module)
    for attribute in name.split("."):
        part = getattr(part, attribute)
    return part
