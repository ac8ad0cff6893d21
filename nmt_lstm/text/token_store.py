"""The token store: the piece ids of a corpus in files, so that memory does not grow with the corpus.

Each side is a column of two files: ``SIDE.ids`` (little-endian uint16, or uint32 for large vocabularies) and
``SIDE.offsets`` (little-endian int64; 0 and the end of each sentence). The header, ``store.json``, contains the
checksums of all four.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of
from nmt_lstm.files.hashed_file import HashedFile, WrittenFile
from nmt_lstm.files.regular import read_regular

__all__ = ["PieceArrays", "PieceColumn", "TokenStore", "TokenStoreWriter", "piece_type"]

HEADER = "store.json"
VERSION = 1
DTYPES = ("<u2", "<u4")
SIDES = ("source", "target")
FILES = tuple(f"{side}.{part}" for side in SIDES for part in ("ids", "offsets"))
BLOCK = 1 << 20
Number = TypeVar("Number", bound=np.generic)


class PieceColumn:
    """One side of a corpus: item i is the array (length,) of the ids of sentence i.

    Sentences are read from the file one by one. Mapped into memory, all that were read would count as memory of the
    process, which would seem to grow with the corpus.

    Args:
        folder: the folder of the store.
        name: "source" or "target".
        dtype: of the ids.

    Raises:
        DataError: a file is missing, unreadable or damaged.
    """

    def __init__(self, folder: Path, name: str, dtype: np.dtype[np.unsignedinteger[Any]]) -> None:
        self._offsets = _ArrayFile(folder / f"{name}.offsets", np.dtype("<i8"))
        self._ids = _ArrayFile(folder / f"{name}.ids", dtype)
        count = len(self._offsets)
        ends = (int(self._offsets.read(0, 1)[0]), int(self._offsets.read(count - 1, 1)[0])) if count else None
        if ends != (0, len(self._ids)):
            raise _damaged(folder, f"the {name} side of '{folder}' does not match its offsets")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.unsignedinteger[Any]]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        start, end = self._offsets.read(index, 2).tolist()
        return self._ids.read(start, end - start)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Number of pieces of each sentence, of shape (sentences,)."""
        lengths = np.empty(len(self), np.int32)
        # Block by block, so that the offsets of a large corpus are not all in memory at once.
        for start in range(0, len(self), BLOCK):
            count = min(BLOCK, len(self) - start)
            lengths[start : start + count] = np.diff(self._offsets.read(start, count + 1))
        return lengths

    def counts(self, vocabulary_size: int) -> NDArray[np.int64]:
        """Return how often each piece of a vocabulary occurs, of shape (V,)."""
        counts = np.zeros(vocabulary_size, np.int64)
        for start in range(0, len(self._ids), BLOCK):
            block = self._ids.read(start, min(BLOCK, len(self._ids) - start))
            counts += np.bincount(block, minlength=vocabulary_size)
        return counts


class _ArrayFile(Generic[Number]):
    """A file of numbers, of which any range can be read."""

    def __init__(self, path: Path, dtype: np.dtype[Number]) -> None:
        try:
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(path, error) from None
        weakref.finalize(self, os.close, self._handle)
        self._path = path
        self._dtype = dtype
        self._count, rest = divmod(os.fstat(self._handle).st_size, dtype.itemsize)
        if rest:
            raise _damaged(path, f"'{path}' is truncated")

    def __len__(self) -> int:
        return self._count

    def read(self, start: int, count: int) -> NDArray[Number]:
        """Return `count` numbers from number `start` on."""
        size = count * self._dtype.itemsize
        try:
            content = os.pread(self._handle, size, start * self._dtype.itemsize)
        except OSError as error:
            raise _unreadable(self._path, error, advice=_RERUN) from None
        if len(content) != size:
            raise _damaged(self._path, f"'{self._path}' is truncated", advice=_RERUN)
        return np.frombuffer(content, self._dtype)


def _check_files(folder: Path, files: object) -> None:
    """Compare the files of a store with the checksums in its header, which reads all of them once."""
    digests = files if isinstance(files, dict) else {}
    for name in FILES:
        if name in digests:
            try:
                digest = sha256_of(folder / name)
            except OSError as error:
                raise _unreadable(folder / name, error) from None
            if digest != digests[name]:
                raise _damaged(
                    folder / name, f"'{folder / name}' does not match its SHA-256 checksum in {HEADER}"
                )


# Only for errors while the pairs are used: a store that cannot be opened is prepared again without being asked.
_RERUN = "; rerun the command, which prepares the text again"


def _unreadable(path: Path, error: OSError, *, advice: str = "") -> DataError:
    return DataError(f"cannot read the prepared store: '{path}': {error.strerror}{advice}.", path=path)


def _damaged(path: Path, reason: str, *, advice: str = "") -> DataError:
    return DataError(f"the prepared store is damaged: {reason}{advice}.", path=path)


class TokenStore:
    """The piece ids of all pairs of a corpus, without BEGIN and END."""

    def __init__(self, source: PieceColumn, target: PieceColumn) -> None:
        self.source = source
        self.target = target

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def open(cls, folder: Path) -> TokenStore:
        """Return the store in `folder`.

        Raises:
            DataError: it is missing, damaged (its checksums do not match), or of a different version.
        """
        try:
            header = parse_checked(read_regular(folder / HEADER))
        except FileNotFoundError:
            raise DataError(f"there is no prepared store in '{folder}'.", path=folder) from None
        except OSError as error:
            raise _unreadable(folder / HEADER, error) from None
        except ValueError as error:
            raise _damaged(folder / HEADER, f"'{folder / HEADER}': {error}") from None
        if header.get("version") != VERSION or header.get("dtype") not in DTYPES:
            raise _damaged(folder / HEADER, f"'{folder / HEADER}' has a different version")
        # Stores of earlier versions have no checksums.
        _check_files(folder, header.get("files", {}))
        dtype: np.dtype[np.unsignedinteger[Any]] = np.dtype(str(header["dtype"]))
        source, target = (PieceColumn(folder, side, dtype) for side in SIDES)
        if len(source) != len(target):
            raise _damaged(folder, f"the sides of '{folder}' have different lengths")
        return cls(source, target)


class TokenStoreWriter:
    """Writes a store pair by pair, in constant memory.

    Args:
        folder: an existing folder.
        largest_id: the largest id that will be written.
        written: what `written` returned before an interruption; what was written later is discarded.

    Raises:
        ValueError: the files do not have what was written before.
    """

    def __init__(
        self, folder: Path, largest_id: int, *, written: Mapping[str, WrittenFile] | None = None
    ) -> None:
        self.folder = folder
        self.dtype = piece_type(largest_id)
        self._files = contextlib.ExitStack()
        self._opened = {
            name: self._files.enter_context(HashedFile(folder / name, (written or {}).get(name)))
            for name in FILES
        }
        self._ends = dict.fromkeys(SIDES, 0)
        for side in SIDES:
            offsets = self._opened[f"{side}.offsets"]
            if written is None:
                offsets.write(np.zeros(1, "<i8").tobytes())
            else:
                self._ends[side] = written[f"{side}.ids"].size // self.dtype.itemsize

    def write(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> None:
        """Append pairs: the ids of each source sentence and of each target sentence."""
        self.write_arrays(*(PieceArrays.of(side, self.dtype) for side in (sources, targets)))

    def write_arrays(self, source: PieceArrays, target: PieceArrays) -> None:
        """Append pairs: the pieces of their source sides, and of their target sides."""
        for side, pieces in zip(SIDES, (source, target), strict=True):
            ends = self._ends[side] + np.cumsum(pieces.lengths, dtype=np.int64)
            if len(ends):
                self._ends[side] = int(ends[-1])
            self._opened[f"{side}.ids"].write(pieces.ids.astype(self.dtype, copy=False).tobytes())
            self._opened[f"{side}.offsets"].write(ends.astype("<i8").tobytes())

    def written(self) -> dict[str, WrittenFile]:
        """Return how much of each file is on the disk."""
        return {name: file.written() for name, file in self._opened.items()}

    def close(self) -> None:
        """Write the header, without which a store is not valid."""
        self._files.close()
        files = {name: file.sha256 for name, file in self._opened.items()}
        header = checked_json({"version": VERSION, "dtype": self.dtype.str, "files": files})
        (self.folder / HEADER).write_text(header, "utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._files.close()


class PieceArrays(NamedTuple):
    """The pieces of sentences, one after the other."""

    ids: NDArray[np.unsignedinteger[Any]]
    """(pieces,)"""
    lengths: NDArray[np.int64]
    """(sentences,)"""

    @classmethod
    def of(cls, sentences: Sequence[Sequence[int]], dtype: np.dtype[np.unsignedinteger[Any]]) -> Self:
        """Return the pieces of sentences."""
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        return cls(np.fromiter(itertools.chain.from_iterable(sentences), dtype, int(lengths.sum())), lengths)

    def of_sentences(self, chosen: NDArray[np.bool_]) -> PieceArrays:
        """Return the pieces of chosen sentences; `chosen` is (sentences,)."""
        return PieceArrays(self.ids[np.repeat(chosen, self.lengths)], self.lengths[chosen])


def piece_type(largest_id: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the type of the ids of a vocabulary."""
    return np.dtype(DTYPES[largest_id >= 2**16])
