"""Keeping freed memory: what is asked of the C library, and that others are left alone."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from nmt_lstm.numerics import memory
from nmt_lstm.numerics.memory import keep_freed_memory

PAGES = """
import resource, sys
from nmt_lstm.numerics.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
block = b"x" * (1 << 26)
del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    block = b"x" * (1 << 26)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


HUGE = """
import mmap
from pathlib import Path
from nmt_lstm.numerics.memory import keep_freed_memory

def huge():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages"))

size = 1 << 26
assert keep_freed_memory()
pages, before = Path("/proc/self/statm").read_text().split()[1], huge()
block = b"x" * size
found, between = huge() - before, huge()
asked = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
asked.madvise(mmap.MADV_HUGEPAGE)
asked.write(block)
print(found, huge() - between, pages)
"""
THP = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def test_another_c_library_is_left_alone(monkeypatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("asked a library that is not glibc"))
    assert keep_freed_memory() is False


@pytest.mark.parametrize(("answers", "kept"), [((1, 1), True), ((0, 1), False), ((1, 0), False)])
def test_it_says_whether_glibc_took_both_thresholds(monkeypatch, answers, kept) -> None:
    asked = {}
    given = iter(answers)

    class Glibc:
        def mallopt(self, option, value):
            asked[option] = value
            return next(given)

        # No room for the heap to grow: then no huge pages are asked for.
        malloc, free, madvise = MagicMock(return_value=None), MagicMock(), MagicMock()

    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: Glibc())
    assert keep_freed_memory() is kept
    assert set(asked) == {memory.M_MMAP_THRESHOLD, memory.M_TRIM_THRESHOLD}
    assert min(asked.values()) >= 1 << 30
    assert Glibc.malloc.called is kept
    assert not Glibc.madvise.called
    assert not Glibc.free.called


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_a_block_asked_for_again_costs_no_new_pages() -> None:
    faults = {}
    for case in ("kept", "given back"):
        finished = subprocess.run(
            [sys.executable, "-c", PAGES, case], capture_output=True, text=True, check=True
        )
        faults[case] = int(finished.stdout)
    assert faults["kept"] < faults["given back"] / 4


def test_kernels_are_bounded_unless_the_user_says_otherwise(monkeypatch) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.delenv(name, raising=False)
    memory.bound_kernel_memory()
    assert os.environ[name] == str(memory.KERNELS_KEPT)
    monkeypatch.setenv(name, "7")
    memory.bound_kernel_memory()
    assert os.environ[name] == "7"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's heap is asked for")
@pytest.mark.skipif(
    not THP.exists() or "[never]" in THP.read_text("utf-8"), reason="this system hands out no huge pages"
)
def test_large_blocks_lie_on_huge_pages_and_memory_that_is_not_used_is_not_taken() -> None:
    finished = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=True)
    found, possible, pages_before = map(int, finished.stdout.split())
    if possible < 32 << 10:
        pytest.skip(f"this system gives {possible} KiB of huge pages to who asks for 64 MiB")
    assert found > possible // 2
    assert pages_before * os.sysconf("SC_PAGE_SIZE") < memory.HEAP_AT_ONCE // 4
