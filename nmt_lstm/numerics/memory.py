"""Memory on a processor: freed blocks are kept, on huge pages, and merged; few kernels are kept."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Mapping

__all__ = ["bound_kernel_memory", "keep_freed_memory", "restart_without_thread_cache", "without_thread_cache"]

# Constants of glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
# Linux's value, and its size of huge pages on x86 and most ARM.
MADV_HUGEPAGE = 14
HUGE_PAGE = 2 << 20
HEAP_AT_ONCE = 768 << 20
# oneDNN keeps 1,024 kernels unless told otherwise, of up to 5 MB (products of many rows) each. Training rounds its shapes
# (see row_counts.py), so that this many hold those that come again soon.
KERNELS_KEPT = 512
# glibc's option that switches its thread cache off.
THREAD_CACHE = "glibc.malloc.tcache_count"


def bound_kernel_memory() -> None:
    """Ask oneDNN to keep fewer kernels than it would, unless the user has said how many.

    To be called before oneDNN's first use in the process.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS_KEPT))


def without_thread_cache(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose processes use glibc's heap without a thread cache, unless it says how large that is.

    Tensors are aligned to 64 bytes, so glibc splits a few bytes off the front of each block. Its thread cache keeps
    these for small objects, and then the block can no longer merge with its neighbour and is too small for the next
    tensor of its size. So the heap grows: in 240 steps of the Multi30k recipe from 690 MiB, which is what it needs
    without the cache, to 1,550. glibc reads its options only when a process starts.
    """
    options = environment.get("GLIBC_TUNABLES", "")
    if THREAD_CACHE in options:
        return dict(environment)
    return {**environment, "GLIBC_TUNABLES": ":".join(filter(None, (options, f"{THREAD_CACHE}=0")))}


def restart_without_thread_cache() -> None:
    """Start this program again, as the same process, where glibc's thread cache is in use; see `without_thread_cache`.

    To be called before anything is read or written. Other C libraries are left alone.
    """
    environment = without_thread_cache(os.environ)
    if environment == dict(os.environ) or not sys.executable or platform.libc_ver()[0] != "glibc":
        return
    with contextlib.suppress(OSError):  # this process trains as well, in more memory
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - ourselves


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed blocks, which saves CPU training 12-18 % of its time in page faults, and huge pages for them.

    Returns:
        Whether the C library took it; elsewhere nothing happens.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    kept = library.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    kept = library.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1) and kept
    if kept:
        _ask_for_huge_pages(library)
    return bool(kept)


def _ask_for_huge_pages(library: ctypes.CDLL) -> None:
    """Let the heap grow once, by addresses and not by memory, and ask for huge pages there.

    A batch's logits alone lie on thousands of small pages, more than a processor knows the places of. Where the system
    hands out huge pages to all or to nobody this changes nothing.
    """
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    block = library.malloc(HEAP_AT_ONCE)
    if not block:
        return
    start = block + -block % HUGE_PAGE
    library.madvise(start, (block + HEAP_AT_ONCE - start) // HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE)
    library.free(block)
