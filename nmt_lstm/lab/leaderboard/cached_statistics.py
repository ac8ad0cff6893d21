"""A cache of the sentence statistics and word counts of a board, which can be recomputed."""

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
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular

__all__ = ["CachedStatistics"]

logger = logging.getLogger(__name__)
Value = TypeVar("Value")


class CachedStatistics:
    """A folder of files with checksums; a damaged file is reported in a warning and treated as missing.

    Args:
        folder: the folder, which need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def statistics(self, key: str) -> dict[str, NDArray[np.float64]]:
        """Return the cached statistics of a key, by metric; empty if there are none."""
        return self._read(self.folder / f"{key}.npz", _read_statistics) or {}

    def put_statistics(self, key: str, values: Mapping[str, NDArray[np.float64]]) -> None:
        """Cache statistics, unless the board cannot be written."""
        arrays: dict[str, Any] = dict(values)

        def write(path: Path) -> None:
            with path.open("wb") as file:  # given a path, NumPy would append ".npz"
                np.savez_compressed(file, **arrays)
            seal_archive(path)

        self._write(self.folder / f"{key}.npz", write)

    def counts(self, key: str) -> Counter[str] | None:
        """Return the cached counts of a key; None if there are none."""
        return self._read(self.folder / f"{key}.json", _read_counts)

    def put_counts(self, key: str, counts: Mapping[str, int]) -> None:
        """Cache word counts, unless the board cannot be written."""
        text = checked_json({"counts": dict(counts)})
        self._write(self.folder / f"{key}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def problems(self) -> list[str]:
        """Return a sentence for each damaged file."""
        problems = []
        for path in sorted(self.folder.glob("*.*")) if self.folder.is_dir() else []:
            read = _READERS.get(path.suffix)
            if read is not None and not path.name.startswith("."):
                try:
                    read(path)
                except Exception as problem:  # noqa: BLE001 - see _read
                    problems.append(_sentence(path, problem))
        return problems

    def _read(self, path: Path, read: Callable[[Path], Value]) -> Value | None:
        try:
            return read(path)
        except FileNotFoundError:
            return None
        except Exception as problem:  # noqa: BLE001 - a damaged archive without checksum may raise anything
            logger.warning("%s", _sentence(path, problem))
            return None

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            with replacing(path) as temporary:
                write(temporary)
        except OSError as problem:
            logger.debug("statistics were not cached: %s", problem)


def _read_statistics(path: Path) -> dict[str, NDArray[np.float64]]:
    if not archive_is_intact(path):
        raise ValueError("its checksum does not match")
    with np.load(path, allow_pickle=False) as archive:
        return {name: np.asarray(archive[name], dtype=np.float64) for name in archive.files}


def _read_counts(path: Path) -> Counter[str]:
    values = parse_checked(read_regular(path, MAX_LIST_BYTES))
    counts = values.get("counts")
    if not isinstance(counts, dict):  # earlier versions wrote the counts alone, without a checksum
        counts = values
    if not all(isinstance(count, int) for count in counts.values()):
        raise ValueError("it does not contain counts")
    return Counter(counts)


_READERS: dict[str, Callable[[Path], object]] = {".npz": _read_statistics, ".json": _read_counts}


def _sentence(path: Path, problem: Exception) -> str:
    reason = " ".join(str(problem).split())[:200]
    return f"'{path}' is damaged ({reason}) and not used. Its content is recomputed; the file can be deleted."
