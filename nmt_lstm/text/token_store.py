"""The token store: pieces of a corpus in memory-mapped files, so that its size costs no memory.

A column is two files: ``NAME.ids`` (little-endian uint16, or uint32 for large vocabularies) and ``NAME.offsets``
(little-endian int64, one more than there are sentences; the first is 0).
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError

__all__ = ["PieceColumn", "TokenStore", "TokenStoreWriter"]

HEADER = "store.json"
VERSION = 1
DTYPES = ("<u2", "<u4")
BLOCK = 1 << 20
Number = TypeVar("Number", bound=np.generic)


class PieceColumn:
    """One side of a corpus.

    Args:
        folder: where the files are.
        name: "source" or "target".
        dtype: of the ids.
    """

    def __init__(self, folder: Path, name: str, dtype: np.dtype[np.unsignedinteger[Any]]) -> None:
        self.offsets = _mapped(folder / f"{name}.offsets", np.dtype("<i8"))
        self.ids = _mapped(folder / f"{name}.ids", dtype)
        ends = (int(self.offsets[0]), int(self.offsets[-1])) if len(self.offsets) else None
        if ends != (0, len(self.ids)):
            raise DataError(
                f"The prepared store '{folder}' is damaged ({name} side). Delete the folder and prepare again."
            )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.unsignedinteger[Any]]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int32]:
        """(sentences,): pieces of each sentence."""
        lengths = np.empty(len(self), np.int32)
        # Block by block: the offsets of a large corpus need not be in memory at once.
        for start in range(0, len(self), BLOCK):
            block = self.offsets[start : start + BLOCK + 1]
            lengths[start : start + BLOCK] = np.diff(block)
        return lengths

    def counts(self, pieces: int) -> NDArray[np.int64]:
        """(pieces,): how often each piece of a vocabulary of that size occurs."""
        counts = np.zeros(pieces, np.int64)
        for start in range(0, len(self.ids), BLOCK):
            counts += np.bincount(self.ids[start : start + BLOCK], minlength=pieces)
        return counts


def _mapped(path: Path, dtype: np.dtype[Number]) -> NDArray[Number]:
    try:
        # An empty file cannot be mapped.
        return np.memmap(path, dtype, "r") if path.stat().st_size else np.empty(0, dtype)
    except OSError as error:
        raise DataError(
            f"Cannot read the prepared store: '{path}': {error.strerror}. Prepare again."
        ) from None
    except ValueError:
        raise DataError(
            f"The prepared store is damaged: '{path}' was cut. Delete its folder and prepare again."
        ) from None


class TokenStore:
    """The pieces of all pairs of a corpus, without END or BEGIN."""

    def __init__(self, source: PieceColumn, target: PieceColumn) -> None:
        self.source = source
        self.target = target

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def open(cls, folder: Path) -> TokenStore:
        """Return the store in `folder`.

        Raises:
            DataError: there is none, or it is damaged or of another version.
        """
        try:
            header = json.loads((folder / HEADER).read_text("utf-8"))
        except (OSError, ValueError):
            raise DataError(f"No prepared store in '{folder}'. Prepare again.") from None
        if (
            not isinstance(header, dict)
            or header.get("version") != VERSION
            or header.get("dtype") not in DTYPES
        ):
            raise DataError(
                f"The prepared store '{folder}' is damaged or of another version. Delete it and prepare again."
            )
        dtype: np.dtype[np.unsignedinteger[Any]] = np.dtype(str(header["dtype"]))
        source, target = PieceColumn(folder, "source", dtype), PieceColumn(folder, "target", dtype)
        if len(source) != len(target):
            raise DataError(f"The prepared store '{folder}' is damaged: its sides differ. Prepare again.")
        return cls(source, target)


class TokenStoreWriter:
    """Writes a store pair by pair, in constant memory.

    Args:
        folder: an existing folder.
        largest_id: the largest piece that will come.
    """

    def __init__(self, folder: Path, largest_id: int) -> None:
        self.folder = folder
        self.dtype = np.dtype(DTYPES[largest_id >= 2**16])
        self._files = contextlib.ExitStack()
        self._ids = [
            self._files.enter_context((folder / f"{name}.ids").open("wb")) for name in ("source", "target")
        ]
        self._offsets = [
            self._files.enter_context((folder / f"{name}.offsets").open("wb"))
            for name in ("source", "target")
        ]
        self._ends = [0, 0]
        for file in self._offsets:
            file.write(np.zeros(1, "<i8").tobytes())

    def write(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> None:
        """Append pairs."""
        for side, sentences in enumerate((sources, targets)):
            lengths = np.fromiter((len(sentence) for sentence in sentences), np.int64, len(sentences))
            ends = self._ends[side] + np.cumsum(lengths)
            if len(sentences):
                self._ends[side] = int(ends[-1])
            pieces = np.fromiter(itertools.chain.from_iterable(sentences), self.dtype, int(lengths.sum()))
            self._ids[side].write(pieces.tobytes())
            self._offsets[side].write(ends.astype("<i8").tobytes())

    def close(self) -> None:
        """Finish the store: a store without its header is none."""
        self._files.close()
        header = json.dumps({"version": VERSION, "dtype": self.dtype.str})
        (self.folder / HEADER).write_text(header, "utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._files.close()
