"""The exceptions of importing a model of another toolkit; all are `NmtLstmError`.

::

    ImportingError              a model of another toolkit cannot be converted
    ├── DamagedSourceError      its files are missing, incomplete or of a kind that no importer knows
    ├── UnsafeFileError         a file could run code if it were read
    └── UnsupportedModelError   the model has parts that cannot be expressed here
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.errors import NmtLstmError

__all__ = [
    "DamagedSourceError",
    "ImportingError",
    "UnsafeFileError",
    "UnsupportedModelError",
    "UnsupportedOption",
]


class ImportingError(NmtLstmError):
    """A model of another toolkit cannot be converted."""


class DamagedSourceError(ImportingError):
    """The files of a model of another toolkit are missing, incomplete, or of a kind that no importer knows."""


class UnsafeFileError(ImportingError):
    """A file names objects that are more than plain values, `known`: reading them could run code."""


class UnsupportedOption(NamedTuple):
    """An option of a model of another toolkit, its value, and what supporting it would need."""

    name: str
    value: object
    needed: str


class UnsupportedModelError(ImportingError):
    """A model of another toolkit has parts that cannot be expressed here: `options` lists all of them."""

    def __init__(self, toolkit: str, options: Sequence[UnsupportedOption], *, path: Path) -> None:
        lines = "".join(f"\n  {name} = {value}: needs {needed}" for name, value, needed in options)
        super().__init__(
            f"'{path}' is a model of {toolkit} with parts that nmt-lstm cannot express:{lines}", path=path
        )
        self.options = tuple(options)
