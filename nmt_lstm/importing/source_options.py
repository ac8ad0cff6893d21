"""The options of a model of another toolkit, and a list of those that cannot be expressed here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from nmt_lstm.importing.errors import DamagedSourceError, UnsupportedModelError, UnsupportedOption

__all__ = ["SourceOptions"]

Value = TypeVar("Value")


class SourceOptions:
    """Reads options by their dotted names, and collects what is unsupported, so that all of it is reported at once.

    Args:
        values: the options, possibly nested.
        path: the file that has them.
        toolkit: its name, for messages.
    """

    def __init__(self, values: Mapping[str, Any], *, path: Path, toolkit: str) -> None:
        self._values = values
        self._path = path
        self._toolkit = toolkit
        self._unsupported: list[UnsupportedOption] = []

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an option; None in the file counts as missing."""
        value: Any = self._values
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return default if value is None else value

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a positive number.

        Raises:
            DamagedSourceError: it is missing and has no default, or is not a positive number.
        """
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self._damaged(name, value, "a positive number")
        return value

    def number(self, name: str, default: float) -> float:
        """Return a number that is not negative; the first one of a list."""
        value = self.get(name, default)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            self._damaged(name, value, "a number")
        return float(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return whether an option is set."""
        value = self.get(name, default)
        if value not in (True, False):
            self._damaged(name, value, "true or false")
        return bool(value)

    def choice(self, name: str, default: str, known: Mapping[str, Value], needed: str) -> Value:
        """Return what an option's value stands for; if it is unknown, it is unsupported.

        Args:
            name: of the option.
            default: its value if it is missing.
            known: what each supported value stands for.
            needed: what supporting other values would need.
        """
        value = self.get(name, default)
        if not isinstance(value, str) or value not in known:
            self.refuse(name, needed, value)
            return next(iter(known.values()))
        return known[value]

    def expect(self, name: str, expected: object, needed: str) -> None:
        """Note that an option is unsupported unless it has this value or is missing."""
        value = self.get(name, expected)
        if value != expected:
            self.refuse(name, needed, value)

    def refuse(self, name: str, needed: str, value: object = None) -> None:
        """Note that an option is unsupported.

        Args:
            name: of the option.
            needed: what supporting it would need.
            value: its value, if it is not that in the file.
        """
        self._unsupported.append(UnsupportedOption(name, self.get(name) if value is None else value, needed))

    def check(self) -> None:
        """Raise UnsupportedModelError if anything is unsupported."""
        if self._unsupported:
            raise UnsupportedModelError(self._toolkit, self._unsupported, path=self._path)

    def _damaged(self, name: str, value: object, expected: str) -> NoReturn:
        raise DamagedSourceError(
            f"'{self._path}' has {name} = {value!r}, but {self._toolkit} writes {expected}; is the file complete?",
            path=self._path,
            key=name,
            value=value,
        )
