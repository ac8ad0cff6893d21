"""Settings of glibc's heap and of oneDNN's cache, and that other C libraries are not touched."""

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
from nmt_lstm.numerics.memory import keep_freed_memory, restart_without_thread_cache, without_thread_cache

RESTARTED = """
import os, sys
from nmt_lstm.numerics.memory import restart_without_thread_cache
print("begun", flush=True)
restart_without_thread_cache()
print(os.getpid(), sys.argv[1:], os.environ["GLIBC_TUNABLES"])
"""
HEAP = """
import ctypes, random
library = ctypes.CDLL(None)
library.mallopt(-3, 1 << 30)
library.mallopt(-1, (1 << 31) - 1)
library.sbrk.restype, library.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
library.posix_memalign.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t, ctypes.c_size_t]
sizes = random.Random(1)

def tensors(count):
    pointers = []
    for _ in range(count):
        pointer = ctypes.c_void_p()
        assert library.posix_memalign(ctypes.byref(pointer), 64, sizes.randrange(1 << 20, 1 << 22)) == 0
        pointers.append(pointer)
    return pointers

begin = library.sbrk(0)
for _ in range(300):
    for pointer in tensors(16):
        library.free(pointer)
    for size in (16, 40, 56, 72):
        library.malloc(size)  # an object that stays
print(library.sbrk(0) - begin)
"""

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
size_of_block, between = huge() - before, huge()
asked = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
asked.madvise(mmap.MADV_HUGEPAGE)
asked.write(block)
print(size_of_block, huge() - between, pages)
"""
THP = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def test_other_c_libraries_are_not_called(monkeypatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("called a library that is not glibc"))
    assert keep_freed_memory() is False


@pytest.mark.parametrize(("answers", "accepted"), [((1, 1), True), ((0, 1), False), ((1, 0), False)])
def test_the_result_tells_whether_glibc_accepted_both_thresholds(monkeypatch, answers, accepted) -> None:
    thresholds = {}
    results = iter(answers)

    class Glibc:
        def mallopt(self, option, value):
            thresholds[option] = value
            return next(results)

        # The heap cannot grow, so no huge pages are requested.
        malloc, free, madvise = MagicMock(return_value=None), MagicMock(), MagicMock()

    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: Glibc())
    assert keep_freed_memory() is accepted
    assert set(thresholds) == {memory.M_MMAP_THRESHOLD, memory.M_TRIM_THRESHOLD}
    assert min(thresholds.values()) >= 1 << 30
    assert Glibc.malloc.called is accepted
    assert not Glibc.madvise.called
    assert not Glibc.free.called


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_a_block_allocated_again_causes_no_page_faults() -> None:
    faults = {}
    for case in ("kept", "returned"):
        finished = subprocess.run(
            [sys.executable, "-c", PAGES, case], capture_output=True, text=True, check=True
        )
        faults[case] = int(finished.stdout)
    assert faults["kept"] < faults["returned"] / 4


def test_the_number_of_kernels_is_bounded_unless_the_user_sets_it(monkeypatch) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.delenv(name, raising=False)
    memory.bound_kernel_memory()
    assert os.environ[name] == str(memory.MAX_KERNELS)
    monkeypatch.setenv(name, "7")
    memory.bound_kernel_memory()
    assert os.environ[name] == "7"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's heap is configured")
@pytest.mark.skipif(
    not THP.exists() or "[never]" in THP.read_text("utf-8"), reason="this system has no huge pages"
)
def test_large_blocks_are_on_huge_pages_and_unused_memory_is_not_allocated() -> None:
    finished = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=True)
    size, possible, pages_before = map(int, finished.stdout.split())
    if possible < 32 << 10:
        pytest.skip(f"this system gives only {possible} KiB of huge pages for 64 MiB")
    assert size > possible // 2
    assert pages_before * os.sysconf("SC_PAGE_SIZE") < memory.HEAP_AT_ONCE // 4


def test_the_option_is_added_once_and_never_overrides_the_users() -> None:
    name = "GLIBC_TUNABLES"
    environment = without_thread_cache({"A": "b"})
    assert environment == {"A": "b", name: "glibc.malloc.tcache_count=0"}
    assert without_thread_cache(environment) == environment
    assert without_thread_cache({name: "glibc.malloc.hugetlb=1"}) == {
        name: "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0"
    }
    chosen = {name: "glibc.malloc.tcache_count=3"}
    assert without_thread_cache(chosen) == chosen


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a thread cache")
def test_a_program_is_restarted_once_as_the_same_process() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    with subprocess.Popen(
        [sys.executable, "-c", RESTARTED, "--steps", "3"], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        output, _ = process.communicate()
    assert process.returncode == 0
    assert output.splitlines() == [
        "begun",
        "begun",
        f"{process.pid} ['--steps', '3'] glibc.malloc.tcache_count=0",
    ]


def test_a_program_with_a_different_c_library_is_not_restarted(monkeypatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("restarted"))
    restart_without_thread_cache()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a thread cache to switch off")
def test_without_the_thread_cache_aligned_blocks_merge_again() -> None:
    heap_sizes = {}
    plain = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    for case, environment in (("cached", plain), ("merged", without_thread_cache(plain))):
        finished = subprocess.run(
            [sys.executable, "-c", HEAP], capture_output=True, text=True, check=True, env=environment
        )
        heap_sizes[case] = int(finished.stdout)
    assert heap_sizes["merged"] < 0.8 * heap_sizes["cached"]
