"""Disks that are too small or read-only, and limits on the size of files; skipped where they cannot be made."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = 4096
SIZE = 16 << 20
FILLER = "filler"


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True, text=True)


class SmallDisk:
    """A file system in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / FILLER

    def fill(self, free: int) -> None:
        """Fill the disk with a file, except for so many bytes."""
        status = os.statvfs(self.folder)
        size = status.f_bfree * status.f_frsize - free // PAGE * PAGE
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def free_space(self) -> None:
        """Remove that file."""
        self._filler.unlink()

    def set_read_only(self, *, read_only: bool = True) -> None:
        mount("-o", f"remount,{'ro' if read_only else 'rw'}", self.folder)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a file system in memory at a folder."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    folder.mkdir(exist_ok=True)
    try:
        mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"a small disk cannot be mounted here: {problem}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only: as root on a disk that is mounted so, otherwise by its permissions."""
    if os.geteuid() != 0:
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        return
    disk = SmallDisk(folder)
    disk.set_read_only()
    try:
        yield
    finally:
        disk.set_read_only(read_only=False)


def limit_files(size: int) -> None:
    """Let this process write no file larger than that; for `preexec_fn`."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
