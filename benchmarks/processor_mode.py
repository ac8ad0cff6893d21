"""Whether the libraries were told to use fewer instructions than the processor has."""

from __future__ import annotations

import os

# Each is read by one library when it starts: oneDNN, ATen, MKL, FBGEMM.
AVX2_MODE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2",
}


def is_avx2() -> bool:
    """Whether all of the libraries behave as on a processor that has AVX2 and nothing newer."""
    return all(os.environ.get(name, "").lower() == value.lower() for name, value in AVX2_MODE.items())


def instructions() -> str:
    """What the libraries may use, for the report: a figure means something else where this is limited."""
    limits = ", ".join(f"{name}={os.environ[name]}" for name in AVX2_MODE if os.environ.get(name))
    if is_avx2():
        return f"AVX2 mode ({limits})"
    return f"some limited ({limits})" if limits else "all that the processor has"
