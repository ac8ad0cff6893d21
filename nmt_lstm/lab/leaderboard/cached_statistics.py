"""Cached sentence statistics and word counts of a board, which can be recomputed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.files.atomic import replacing
from nmt_lstm.files.checksums import archive_is_intact, checked_json, parse_checked, seal_archive
from nmt_lstm.files.regular import LARGEST_LIST, read_regular

__all__ = ["CachedStatistics"]

logger = logging.getLogger(__name__)
Found = TypeVar("Found")


class CachedStatistics:
    """A folder of files that carry their checksums; one that is damaged is named in a warning and counts as missing.

    Args:
        folder: need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def statistics(self, key: str) -> dict[str, NDArray[np.float64]]:
        """Return the stored statistics of a key, by metric; empty if there are none that can be read."""
        found = self._read(self.folder / f"{key}.npz", _statistics_of)
        return {} if found is None else found

    def put_statistics(self, key: str, values: Mapping[str, NDArray[np.float64]]) -> None:
        """Store statistics; a board that cannot be written goes without."""
        arrays: dict[str, Any] = dict(values)

        def write(path: Path) -> None:
            with path.open("wb") as file:  # given a path, NumPy would append ".npz" to its name
                np.savez_compressed(file, **arrays)
            seal_archive(path)

        self._write(self.folder / f"{key}.npz", write)

    def counts(self, key: str) -> Counter[str] | None:
        """Return the stored counts of a key; None if there are none that can be read."""
        return self._read(self.folder / f"{key}.json", _counts_of)

    def put_counts(self, key: str, counts: Mapping[str, int]) -> None:
        """Store counts of words; a board that cannot be written goes without."""
        text = checked_json({"counts": dict(counts)})
        self._write(self.folder / f"{key}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def problems(self) -> list[str]:
        """Return a sentence for each file that is damaged."""
        found = []
        for path in sorted(self.folder.glob("*.*")) if self.folder.is_dir() else []:
            read = _READERS.get(path.suffix)
            if read is not None and not path.name.startswith("."):
                try:
                    read(path)
                except Exception as problem:  # noqa: BLE001 - see _read
                    found.append(_sentence(path, problem))
        return found

    def _read(self, path: Path, read: Callable[[Path], Found]) -> Found | None:
        try:
            return read(path)
        except FileNotFoundError:
            return None
        except Exception as problem:  # noqa: BLE001 - an archive without a checksum can be damaged in any way
            logger.warning("%s", _sentence(path, problem))
            return None

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            with replacing(path) as beside:
                write(beside)
        except OSError as problem:
            logger.debug("statistics are not stored: %s", problem)


def _statistics_of(path: Path) -> dict[str, NDArray[np.float64]]:
    if not archive_is_intact(path):
        raise ValueError("its checksum does not fit")
    with np.load(path, allow_pickle=False) as archive:
        return {name: np.asarray(archive[name], dtype=np.float64) for name in archive.files}


def _counts_of(path: Path) -> Counter[str]:
    values = parse_checked(read_regular(path, LARGEST_LIST))
    # Earlier versions wrote the counts alone, without a checksum.
    inner = values.get("counts")
    counts = inner if isinstance(inner, dict) else values
    if not all(isinstance(count, int) for count in counts.values()):
        raise ValueError("it does not hold counts")
    return Counter(counts)


_READERS: dict[str, Callable[[Path], object]] = {".npz": _statistics_of, ".json": _counts_of}


def _sentence(path: Path, problem: Exception) -> str:
    reason = " ".join(str(problem).split())[:200]
    return f"'{path}' is damaged ({reason}); it is not used. What it held is computed again; the file can be deleted."
