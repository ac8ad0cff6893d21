"""The token store: the piece ids of a corpus in memory-mapped files, so that memory does not grow with the corpus.

Each side is a column of two files: ``SIDE.ids`` (little-endian uint16, or uint32 for large vocabularies) and
``SIDE.offsets`` (little-endian int64; 0 and the end of each sentence). The header, ``store.json``, contains the
checksums of all four.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of
from nmt_lstm.files.regular import read_regular

__all__ = ["PieceColumn", "TokenStore", "TokenStoreWriter"]

HEADER = "store.json"
VERSION = 1
DTYPES = ("<u2", "<u4")
SIDES = ("source", "target")
FILES = tuple(f"{side}.{part}" for side in SIDES for part in ("ids", "offsets"))
BLOCK = 1 << 20
Number = TypeVar("Number", bound=np.generic)


class PieceColumn:
    """One side of a corpus: item i is the array (length,) of the ids of sentence i.

    Args:
        folder: the folder of the store.
        name: "source" or "target".
        dtype: of the ids.

    Raises:
        DataError: a file is missing, unreadable or damaged.
    """

    def __init__(self, folder: Path, name: str, dtype: np.dtype[np.unsignedinteger[Any]]) -> None:
        self.offsets = _memory_map(folder / f"{name}.offsets", np.dtype("<i8"))
        self.ids = _memory_map(folder / f"{name}.ids", dtype)
        ends = (int(self.offsets[0]), int(self.offsets[-1])) if len(self.offsets) else None
        if ends != (0, len(self.ids)):
            raise _damaged(folder, f"the {name} side of '{folder}' does not match its offsets")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[np.unsignedinteger[Any]]:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Number of pieces of each sentence, of shape (sentences,)."""
        lengths = np.empty(len(self), np.int32)
        # Block by block, so that the offsets of a large corpus are not all in memory at once.
        for start in range(0, len(self), BLOCK):
            block = self.offsets[start : start + BLOCK + 1]
            lengths[start : start + BLOCK] = np.diff(block)
        return lengths

    def counts(self, vocabulary_size: int) -> NDArray[np.int64]:
        """Return how often each piece of a vocabulary occurs, of shape (V,)."""
        counts = np.zeros(vocabulary_size, np.int64)
        for start in range(0, len(self.ids), BLOCK):
            counts += np.bincount(self.ids[start : start + BLOCK], minlength=vocabulary_size)
        return counts


def _memory_map(path: Path, dtype: np.dtype[Number]) -> NDArray[Number]:
    try:
        # An empty file cannot be mapped.
        return np.memmap(path, dtype, "r") if path.stat().st_size else np.empty(0, dtype)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise _damaged(path, f"'{path}' is truncated") from None


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


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"cannot read the prepared store: '{path}': {error.strerror}; prepare again.", path=path)


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"the prepared store is damaged: {reason}; delete its folder and prepare again.", path=path
    )


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
            raise DataError(
                f"there is no prepared store in '{folder}'; prepare again.", path=folder
            ) from None
        except OSError as error:
            raise _unreadable(folder / HEADER, error) from None
        except ValueError as error:
            raise _damaged(folder / HEADER, f"'{folder / HEADER}': {error}") from None
        if header.get("version") != VERSION or header.get("dtype") not in DTYPES:
            raise _damaged(folder / HEADER, f"'{folder / HEADER}' is of a different version")
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
    """

    def __init__(self, folder: Path, largest_id: int) -> None:
        self.folder = folder
        self.dtype = np.dtype(DTYPES[largest_id >= 2**16])
        self._files = contextlib.ExitStack()
        self._digests = {name: hashlib.sha256() for name in FILES}
        self._opened: dict[str, BinaryIO] = {
            name: self._files.enter_context((folder / name).open("wb")) for name in FILES
        }
        self._ends = dict.fromkeys(SIDES, 0)
        for side in SIDES:
            self._append(f"{side}.offsets", np.zeros(1, "<i8").tobytes())

    def write(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> None:
        """Append pairs: the ids of each source sentence and of each target sentence."""
        for side, sentences in zip(SIDES, (sources, targets), strict=True):
            lengths = np.fromiter((len(sentence) for sentence in sentences), np.int64, len(sentences))
            ends = self._ends[side] + np.cumsum(lengths)
            if len(sentences):
                self._ends[side] = int(ends[-1])
            pieces = np.fromiter(itertools.chain.from_iterable(sentences), self.dtype, int(lengths.sum()))
            self._append(f"{side}.ids", pieces.tobytes())
            self._append(f"{side}.offsets", ends.astype("<i8").tobytes())

    def close(self) -> None:
        """Write the header, without which a store is not valid."""
        self._files.close()
        files = {name: digest.hexdigest() for name, digest in self._digests.items()}
        header = checked_json({"version": VERSION, "dtype": self.dtype.str, "files": files})
        (self.folder / HEADER).write_text(header, "utf-8")

    def _append(self, name: str, data: bytes) -> None:
        self._opened[name].write(data)
        self._digests[name].update(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._files.close()
