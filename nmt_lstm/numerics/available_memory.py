"""How much memory a process may still allocate, and how much a computation has needed.

Limits of the process (``ulimit -v``), of its control groups (containers, SLURM) and of the machine are respected.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

__all__ = ["PeakMemory", "available_memory"]

_GROUPS = Path("/sys/fs/cgroup")
# A limit above this is none: version 1 has a number in place of "max".
_NO_LIMIT = 1 << 60


def available_memory(device: torch.device) -> int:
    """Return the bytes that this process can still allocate on a device, as far as the system tells."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # PyTorch keeps what it has freed, and gives it out again.
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(0, min([*_of_machine(), *_of_process(), *_of_groups(Path("/proc/self/cgroup"), _GROUPS)]))


class PeakMemory:
    """The most memory that computations on a device needed at once, since it was created."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._before = self._now()
        self.restart()

    def restart(self) -> None:
        """Forget the peaks so far, as far as the system can; otherwise they remain, as lower bounds."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            _reset_peak()

    def bytes(self) -> int:
        """Return the largest number of bytes since `restart` beyond those that were in use at first."""
        if self.device.type == "cuda":
            return max(0, torch.cuda.max_memory_allocated(self.device) - self._before)
        return max(0, (_status("VmHWM") or _largest_resident()) - self._before)

    def _now(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.memory_allocated(self.device)
        return _status("VmRSS") or _largest_resident()


def _reset_peak() -> None:
    """Set the peak of this process's resident memory to what is resident now, where the system can do that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not Linux, or a kernel without it
        return


def _largest_resident() -> int:
    import resource  # not on Windows, which is not supported either

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest << 10


def _of_machine() -> Iterator[int]:
    """Yield the bytes that the machine has for new allocations; where it does not tell, half of what it has at all."""
    found = re.search(r"MemAvailable:\s*(\d+) kB", _text(Path("/proc/meminfo")))
    yield (
        int(found.group(1)) << 10 if found else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    )


def _of_process() -> Iterator[int]:
    """Yield the bytes up to each limit of this process."""
    import resource

    for limit, counter in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        soft, _ = resource.getrlimit(limit)
        used = _status(counter)
        if soft != resource.RLIM_INFINITY and used is not None:
            yield soft - used + _free_in_heap()


class _Heap(ctypes.Structure):
    """What glibc's mallinfo2 returns."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def _free_in_heap() -> int:
    """Return the bytes of the heap that were freed and can be used again; 0 where the C library does not tell."""
    if platform.libc_ver()[0] != "glibc":
        return 0
    try:
        query = ctypes.CDLL(None).mallinfo2
    except AttributeError:  # before glibc 2.33
        return 0
    query.restype = _Heap
    return int(query().fordblks)


def _of_groups(membership: Path, root: Path) -> Iterator[int]:
    """Yield the bytes up to the limit of each control group that this process is in.

    Args:
        membership: the file with the groups of the process.
        root: where the groups are mounted.
    """
    for line in _text(membership).splitlines():
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            base, names = root, ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            base, names = root / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        # In a container, the path may be that outside, where only the mounted root is visible.
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(base):
                break
            limit, used = (_number(folder / name) for name in names)
            if limit is not None and used is not None and limit < _NO_LIMIT:
                yield limit - used + _reclaimable(folder)


def _reclaimable(group: Path) -> int:
    """Return the bytes of a group's file cache that the system drops when memory is needed."""
    found = re.search(r"^(?:total_)?inactive_file (\d+)$", _text(group / "memory.stat"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def _status(name: str) -> int | None:
    """Return a value of this process's status in bytes; None where the system has none."""
    found = re.search(rf"^{name}:\s*(\d+) kB$", _text(Path("/proc/self/status")), re.MULTILINE)
    return int(found.group(1)) << 10 if found else None


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
