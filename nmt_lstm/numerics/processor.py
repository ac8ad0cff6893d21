"""Whose processor this is: libraries of products are tuned for some."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

__all__ = ["is_made_by_intel"]

CPU_INFO = Path("/proc/cpuinfo")


@functools.cache
def is_made_by_intel() -> bool:
    """Whether the processor is Intel's; False where that cannot be found out."""
    if platform.system() == "Darwin":
        return platform.machine() == "x86_64"
    try:
        return "GenuineIntel" in CPU_INFO.read_text("utf-8", errors="replace")
    except OSError:
        return False
