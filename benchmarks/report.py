"""The report of a benchmark: a table, JSON, and the machine that it ran on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

# The unit of a row without a value; its last column is then the reason.
FAILED = "failed"
# Each variable is read by one library at startup: oneDNN, ATen, MKL, FBGEMM.
AVX2_MODE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2",
}


@dataclass(frozen=True)
class Row:
    """A measurement: its name, value and unit, and what was counted."""

    what: str
    value: float
    unit: str
    counted: str


def is_avx2() -> bool:
    """Whether all libraries are limited to AVX2."""
    return all(os.environ.get(name, "").lower() == value.lower() for name, value in AVX2_MODE.items())


def instructions() -> str:
    """Return the instructions that the libraries may use."""
    limits = ", ".join(f"{name}={os.environ[name]}" for name in AVX2_MODE if os.environ.get(name))
    if is_avx2():
        return f"AVX2 mode ({limits})"
    return f"some limited ({limits})" if limits else "all that the processor has"


def machine() -> dict[str, str]:
    """Return the facts about the machine and the software that measurements depend on."""
    # Not at the top: this imports torch, and processes that measure their children must be small.
    from nmt_lstm.numerics.processor import processor_name

    versions = {name: importlib.metadata.version(name) for name in ("nmt-lstm", "torch", "pytorch-lightning")}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor_name(),
        "instructions": instructions(),
        "usable cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
        **versions,
    }


def show(rows: list[Row], json_file: Path | None) -> None:
    """Print the rows as a table, and write them with the machine to a JSON file if one is named."""
    for name, value in machine().items():
        print(f"{name + ':':20}{value}")
    print()
    what = max(len(row.what) for row in rows)
    unit = max(len(row.unit) for row in rows)
    for row in rows:
        print(f"{row.what:{what}}  {row.value:12,.2f} {row.unit:{unit}}  {row.counted}")
    if json_file is not None:
        content = {"machine": machine(), "figures": [asdict(row) for row in rows]}
        json_file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
