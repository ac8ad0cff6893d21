"""Keeping freed memory: what is asked of the C library, and that others are left alone."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

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

    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: Glibc())
    assert keep_freed_memory() is kept
    assert set(asked) == {memory.M_MMAP_THRESHOLD, memory.M_TRIM_THRESHOLD}
    assert min(asked.values()) >= 1 << 30


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
