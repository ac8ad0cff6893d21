"""The token store: pieces of a corpus in memory-mapped files, so that its size costs no memory.

A column is two files: ``NAME.ids`` (little-endian uint16, or uint32 for large vocabularies) and ``NAME.offsets``
(little-endian int64, one more than there are sentences; the first is 0). The header, ``store.json``, has the checksums
of all four.
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
        raise _unreadable(path, error) from None
    except ValueError:
        raise DataError(
            f"The prepared store is damaged: '{path}' was cut. Delete its folder and prepare again."
        ) from None


def _check_files(folder: Path, recorded: object) -> None:
    """Compare the files of a store with the checksums of its header; this reads them once from end to end."""
    digests = recorded if isinstance(recorded, dict) else {}
    for name in FILES:
        if name in digests:
            try:
                found = sha256_of(folder / name)
            except OSError as error:
                raise _unreadable(folder / name, error) from None
            if found != digests[name]:
                raise DataError(
                    f"The prepared store is damaged: '{folder / name}' does not have the SHA-256 checksum that {HEADER} "
                    "records. Delete its folder and prepare again."
                )


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"Cannot read the prepared store: '{path}': {error.strerror}. Prepare again.")


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
            DataError: there is none, or it is damaged, which is seen by its checksums, or of another version.
        """
        try:
            header = parse_checked(read_regular(folder / HEADER))
        except FileNotFoundError:
            raise DataError(f"No prepared store in '{folder}'. Prepare again.") from None
        except OSError as error:
            raise _unreadable(folder / HEADER, error) from None
        except ValueError as error:
            raise DataError(
                f"The prepared store is damaged: '{folder / HEADER}': {error}. Delete its folder and prepare again."
            ) from None
        if header.get("version") != VERSION or header.get("dtype") not in DTYPES:
            raise DataError(
                f"The prepared store '{folder}' is damaged or of another version. Delete it and prepare again."
            )
        # Stores of earlier versions have no checksums.
        _check_files(folder, header.get("files", {}))
        dtype: np.dtype[np.unsignedinteger[Any]] = np.dtype(str(header["dtype"]))
        source, target = (PieceColumn(folder, side, dtype) for side in SIDES)
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
        self._digests = {name: hashlib.sha256() for name in FILES}
        self._opened: dict[str, BinaryIO] = {
            name: self._files.enter_context((folder / name).open("wb")) for name in FILES
        }
        self._ends = dict.fromkeys(SIDES, 0)
        for side in SIDES:
            self._append(f"{side}.offsets", np.zeros(1, "<i8").tobytes())

    def write(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> None:
        """Append pairs."""
        for side, sentences in zip(SIDES, (sources, targets), strict=True):
            lengths = np.fromiter((len(sentence) for sentence in sentences), np.int64, len(sentences))
            ends = self._ends[side] + np.cumsum(lengths)
            if len(sentences):
                self._ends[side] = int(ends[-1])
            pieces = np.fromiter(itertools.chain.from_iterable(sentences), self.dtype, int(lengths.sum()))
            self._append(f"{side}.ids", pieces.tobytes())
            self._append(f"{side}.offsets", ends.astype("<i8").tobytes())

    def close(self) -> None:
        """Finish the store: a store without its header is none."""
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
