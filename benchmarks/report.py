"""How a benchmark shows its rows: a table for people, JSON for programs, and the machine it ran on."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from processor_mode import instructions

# The unit of what has no figure; what was counted is then the reason.
FAILED = "failed"


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, its value with unit, and what was counted."""

    what: str
    value: float
    unit: str
    counted: str


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def machine() -> dict[str, str]:
    """What the figures depend on besides the program."""
    usable = len(os.sched_getaffinity(0))
    versions = {name: importlib.metadata.version(name) for name in ("nmt-lstm", "torch", "pytorch-lightning")}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "instructions": instructions(),
        "usable cores": str(usable),
        "python": platform.python_version(),
        **versions,
    }


def show(rows: list[Row], json_file: Path | None) -> None:
    """Print the rows as a table and, where asked, write them with the machine as JSON."""
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
