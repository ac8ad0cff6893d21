"""The memory that a process may still use follows its limits, those of its control groups, and those of the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm.numerics.available_memory import PeakMemory, _of_groups, available_memory

CPU = torch.device("cpu")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc")


def test_the_machine_has_memory() -> None:
    assert 1 << 20 < available_memory(CPU) < 1 << 50


PRINT_AVAILABLE = """
import resource, sys
import torch
from nmt_lstm.numerics.available_memory import _free_in_heap, available_memory
def size():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) << 10
limit = size() + (300 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
before = limit - size() + _free_in_heap()
available = available_memory(torch.device("cpu"))
print(available, max(before, limit - size() + _free_in_heap()))
"""


@on_linux
def test_a_limit_of_the_process_is_respected() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_AVAILABLE], capture_output=True, text=True, check=True
    )
    available, unused = map(int, printed.stdout.split())
    assert 250 << 20 < available <= unused


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        (
            "0::/job/step\n",
            {"job/memory.max": "1000", "job/memory.current": "300", "job/step/memory.max": "max"},
            [700],
        ),
        (
            "0::/job\n",
            {
                "job/memory.max": "1000",
                "job/memory.current": "900",
                "job/memory.stat": "anon 5\ninactive_file 200\n",
                "memory.max": "5000",
                "memory.current": "1000",
            },
            [300, 4000],
        ),
        (
            "12:cpuset:/\n4:memory:/docker/7\n",
            {"memory/memory.limit_in_bytes": "800", "memory/memory.usage_in_bytes": "300"},
            [500],
        ),
        (
            "4:memory:/\n",
            {"memory/memory.limit_in_bytes": str(1 << 62), "memory/memory.usage_in_bytes": "3"},
            [],
        ),
        ("0::/\n", {}, []),
        ("nonsense\n", {}, []),
        (None, {}, []),
    ],
)
def test_limits_of_control_groups_are_respected(membership, files, expected, tmp_path: Path) -> None:
    if membership is not None:
        (tmp_path / "groups").write_text(membership)
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n" if "\n" not in text else text)
    assert list(_of_groups(tmp_path / "groups", tmp_path / "root")) == expected


@on_linux
def test_the_peak_of_a_computation_is_measured() -> None:
    peak = PeakMemory(CPU)
    for size in (64 << 20, 256 << 20):
        peak.restart()
        torch.ones(size, dtype=torch.uint8)
        assert 0.7 * size < peak.bytes() < 2 * size
