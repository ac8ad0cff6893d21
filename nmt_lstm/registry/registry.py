"""A table of named classes, filled by a decorator and by entry points of installed distributions."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from nmt_lstm.errors import PluginError, WrongBaseError, nearest
from nmt_lstm.registry.class_import import entry_point_hint, import_class, import_part
from nmt_lstm.registry.entry import Entry, entry_points
from nmt_lstm.registry.options import OptionSpec, check_options, read_options
from nmt_lstm.registry.plugin_contents import PluginContents, loaded_contents

__all__ = ["Registry"]

Part = TypeVar("Part", bound=type)


class LoadedPart(NamedTuple):
    """A class that was loaded."""

    part: type
    label: str
    """Its name and origin, as in messages."""
    options: dict[str, OptionSpec]
    """The options of its constructor."""


class Registry:
    """Named classes of one kind.

    Args:
        kind: what a part is called in messages, such as "cell".
        group: entry-point group of installed parts.
        base: "package.module:Class" that every part must be derived from; imported only when a part is loaded.
        sizes: constructor parameters that the framework or a subclass provides; all others are options.
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

        Registering a class again, as when a notebook cell is run twice, replaces it.

        Raises:
            PluginError: a different class already has the name, or the name is invalid.
        """
        if not name or not name.replace("_", "").replace("-", "").isalnum():
            raise PluginError(
                f"'{name}' is not a valid name of a {self.kind}: use letters, digits, '_' and '-'.",
                value=name,
            )

        def decorate(part: Part) -> Part:
            known = self._decorated.get(name)
            if known is not None and _target(known) != _target(part):
                raise self._conflict(
                    name, [self._decorated_entry(name, known), self._decorated_entry(name, part)]
                )
            self._decorated[name] = part
            return part

        return decorate

    def decorated_entries(self) -> list[Entry]:
        """Return the entries that the decorator registered."""
        return [self._decorated_entry(name, part) for name, part in sorted(self._decorated.items())]

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Undo what is registered and loaded within this context, for tests and notebooks."""
        decorated, loaded = dict(self._decorated), dict(self._loaded)
        try:
            yield
        finally:
            self._decorated, self._loaded = decorated, loaded

    def unregister(self, name: str) -> None:
        """Remove a class that the decorator registered.

        Raises:
            KeyError: the decorator has not registered this name.
        """
        del self._decorated[name]

    def loaded_parts(self) -> dict[str, LoadedPart]:
        """Return the parts that were loaded so far, by name."""
        return dict(self._loaded)

    def names(self) -> list[str]:
        """Return all registered names, sorted, without importing any part."""
        return sorted({point.name for point, _ in self._entry_points()} | set(self._decorated))

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return an entry for each name (or only `name`) and origin, sorted by name, without importing any part."""
        installed = [
            self._installed_entry(point, distribution)
            for point, distribution in self._entry_points()
            if name in (None, point.name)
        ]
        # A class may be decorated and have an entry point: then it is listed once, with its distribution.
        targets = {(entry.name, entry.target) for entry in installed}
        decorated = [
            entry
            for entry in self.decorated_entries()
            if name in (None, entry.name) and (entry.name, entry.target) not in targets
        ]
        return sorted([*installed, *decorated], key=lambda entry: (entry.name, entry.origin))

    def get(self, name: str) -> Any:
        """Return the class registered as `name`, or the class ``package.module:Class``.

        Raises:
            PluginError: the name is unknown or has two origins, or the class cannot be imported or is of a different kind.
        """
        return self._load(name).part

    def options(self, name: str) -> dict[str, OptionSpec]:
        """Return the options of a part, read from its constructor.

        Raises:
            PluginError: as for `get`.
        """
        return self._load(name).options

    def check(self, name: str, options: Mapping[str, Any]) -> None:
        """Check what `build` checks before it calls the constructor.

        Raises:
            PluginError: as for `build`.
        """
        loaded = self._load(name)
        check_options(options, loaded.options, loaded.label)

    def build(
        self, name: str, *positional: Any, options: Mapping[str, Any] | None = None, **sizes: int
    ) -> Any:
        """Construct a part from its sizes (and what else the framework provides) and checked options.

        Raises:
            PluginError: as for `get`; or an option is unknown, of the wrong type, or rejected by the class.
        """
        loaded = self._load(name)
        accepted = check_options(options or {}, loaded.options, loaded.label)
        try:
            return loaded.part(*positional, **sizes, **accepted)
        except ValueError as problem:
            arguments = ", ".join(f"{key} = {value!r}" for key, value in accepted.items()) or "its defaults"
            raise PluginError(
                f"{loaded.label} cannot be built with {arguments}: {problem}", value=name
            ) from problem

    def record(self, name: str) -> dict[str, str]:
        """Return what a model folder records about a part: name, target, distribution and version."""
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
        """Return the contents that `load_plugin_file` loaded a part from; None for any other part."""
        part = self._decorated.get(name)
        return None if part is None else loaded_contents.get(part.__module__.partition(".")[0])

    def require(self, record: Mapping[str, str]) -> Any:
        """Return the class that a record of a model folder names.

        Raises:
            PluginError: it is missing (the message says what to install) or cannot be loaded.
        """
        name, distribution, version = (record.get(key, "") for key in ("name", "distribution", "version"))
        # Names first: the part may be installed from a different distribution or loaded from a different file.
        if ":" in name or name in self.names():
            return self.get(name)
        if distribution:
            remedy = f"Install it with: pip install '{distribution}=={version}'."
        else:
            remedy = f"It was loaded from a file ({record.get('target', '')}): load that file with --plugin."
        raise PluginError(
            f"the model needs the {self.kind} '{name}', which is not installed. {remedy}", value=name
        )

    def other_protocol(self, name: str) -> PluginError | None:
        """Return the error for a part written for a different version of the protocol; None if there is no such part."""
        family, _, protocol = self.group.rpartition(".")
        for point, distribution in entry_points(lambda group: group.startswith(f"{family}.v")):
            if point.name == name and point.group != self.group:
                entry, other = self._installed_entry(point, distribution), point.group.rpartition(".")[2]
                return PluginError(
                    f"the {self.kind} '{name}' ({entry.origin}) is written for protocol {other}, but this nmt-lstm supports "
                    f"{protocol}. Install a version of {entry.distribution} that uses '{self.group}'.",
                    value=name,
                )
        return None

    def _entry_points(
        self,
    ) -> Iterator[tuple[importlib.metadata.EntryPoint, importlib.metadata.Distribution]]:
        return entry_points(lambda group: group == self.group)

    def _find(self, name: str) -> Entry | None:
        """Return the entry of a registered name; None for ``package.module:Class``."""
        if ":" in name:
            return None
        matches = self.entries(name)
        if not matches:
            raise self._unknown(name)
        if len(matches) == 1:
            return matches[0]
        decorated = self._decorated.get(name)
        installed = [entry for entry in matches if entry.distribution]
        # An entry point may name a re-export of the class that the decorator registered.
        if len(installed) == 1 and decorated is not None:
            (entry,) = installed
            if import_part(entry.target, self._label(name, entry), entry, self.group) is decorated:
                return entry
        raise self._conflict(name, matches)

    def _load(self, name: str) -> LoadedPart:
        """Return the class, its label and its options."""
        entry = self._find(name)
        target = entry.target if entry else name
        label = self._label(name, entry)
        if entry is not None and not entry.distribution:
            part: Any = self._decorated[name]
        else:
            part = import_part(target, label, entry, self.group)
        base = import_class(self.base)
        if not isinstance(part, type) or not issubclass(part, base):
            raise WrongBaseError(
                f"{label}: {target} is not a subclass of {self.base.replace(':', '.')}.{entry_point_hint(entry, self.group)}",
                target=target,
                base=self.base,
            )
        self._loaded[name] = LoadedPart(part, label, read_options(part, self.sizes, label))
        return self._loaded[name]

    def _label(self, name: str, entry: Entry | None) -> str:
        """Return the name and the origin of a part for messages."""
        return f"{self.kind} '{name}' ({entry.origin})" if entry else f"{self.kind} '{name}'"

    def _installed_entry(
        self, point: importlib.metadata.EntryPoint, distribution: importlib.metadata.Distribution
    ) -> Entry:
        name, version = distribution.metadata["Name"], distribution.metadata["Version"] or "?"
        return Entry(point.name, f"{name} {version}", name, version, point.value)

    def _decorated_entry(self, name: str, part: type) -> Entry:
        module = sys.modules.get(part.__module__)
        origin = getattr(module, "__file__", None) or f"module {part.__module__}"
        return Entry(name, origin, "", "", _target(part), part.__doc__ or "")

    def _conflict(self, name: str, entries: list[Entry]) -> PluginError:
        origins = " and ".join(f"{entry.origin} ({entry.target})" for entry in entries)
        decorated = [entry for entry in entries if not entry.distribution]
        if decorated:  # the last one, whose author can still choose a different name
            remedy = (
                f"in {decorated[-1].origin}, give it a different name in @{self.kind.upper()}S.register(...)."
            )
        else:
            remedy = "uninstall or rename one of them, or refer to the class as package.module:Class."
        return PluginError(f"the {self.kind} '{name}' is registered by {origins}; {remedy}", value=name)

    def _unknown(self, name: str) -> PluginError:
        entries = self.entries()
        if not entries:
            return PluginError(
                f"unknown {self.kind} '{name}': none is registered; is nmt-lstm installed (pip install .)?",
                value=name,
            )
        other = self.other_protocol(name)
        if other is not None:
            return other
        known = [entry.name for entry in entries]
        described = ", ".join(f"{entry.name} ({entry.origin})" for entry in entries)
        return PluginError(
            f"unknown {self.kind} '{name}'.{nearest(name, known)} Known: {described}. "
            f"Install others with pip, load them with --plugin FILE, or name them as package.module:Class.",
            value=name,
            known=known,
        )


def _target(part: type) -> str:
    return f"{part.__module__}:{part.__qualname__}"
