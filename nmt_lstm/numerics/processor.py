"""The processor's maker, name and instructions, for which the libraries of matrix products are tuned."""

from __future__ import annotations

import functools
import os
import platform
import re
import subprocess
from pathlib import Path

import torch

__all__ = ["bf16_instructions", "instruction_limit", "instructions", "is_made_by_intel", "processor_name"]

CPU_INFO = Path("/proc/cpuinfo")

# Private, but torch has no other functions for this; where one is missing, the answer is no.
QUERIES = {
    "AVX2": "_is_avx2_supported",
    "AVX512": "_is_avx512_supported",
    "VNNI": "_is_vnni_supported",
    "BF16": "_is_avx512_bf16_supported",
    "AMX": "_is_amx_tile_supported",
}
WITH_BF16 = ("BF16", "AMX")
# oneDNN's two variables for its limit, the decisive one first. It ignores case, and ignores unknown values.
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
# AVX2_VNNI_2 converts bf16, but multiplies in float32.
WITHOUT_BF16 = {
    "SSE41",
    "AVX",
    "AVX2",
    "AVX2_VNNI",
    "AVX2_VNNI_2",
    "AVX512_CORE",
    "AVX512_CORE_VNNI",
}


@functools.cache
def is_made_by_intel() -> bool:
    """Whether the processor is made by Intel; False if that is unknown."""
    if platform.system() == "Darwin":
        return platform.machine() == "x86_64"
    return "GenuineIntel" in _cpu_info()


def processor_name() -> str:
    """Return the model's name as its maker gives it, or else what Python knows of it."""
    name = _name_on_macos() if platform.system() == "Darwin" else _name_in_cpu_info()
    return name or platform.processor() or platform.machine() or "unknown"


def instructions() -> tuple[str, ...]:
    """Return which of AVX2, AVX512, VNNI, BF16 and AMX the processor has, whether or not libraries may use them."""
    queries = {name: getattr(torch.cpu, function, None) for name, function in QUERIES.items()}
    return tuple(name for name, query in queries.items() if query is not None and query())


def bf16_instructions() -> tuple[str, ...]:
    """Return which of BF16 and AMX the processor has and oneDNN may use."""
    if instruction_limit().partition("=")[2].upper() in WITHOUT_BF16:
        return ()
    return tuple(name for name in instructions() if name in WITH_BF16)


def instruction_limit() -> str:
    """Return the setting, such as ``"ONEDNN_MAX_CPU_ISA=AVX2"``, that keeps oneDNN from newer instructions, or ``""``."""
    name = next((name for name in LIMITS if os.environ.get(name)), None)
    return "" if name is None else f"{name}={os.environ[name]}"


def _cpu_info() -> str:
    try:
        return CPU_INFO.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _name_in_cpu_info() -> str:
    match = re.search(r"^model name\s*:(.*)$", _cpu_info(), re.MULTILINE)
    return " ".join(match.group(1).split()) if match else ""


def _name_on_macos() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return finished.stdout.strip()
