"""What a finished training left to be measured: its validations in the logs, its speed, its memory."""

from __future__ import annotations

import resource
import statistics
import sys
from pathlib import Path

import torch

from nmt_lstm.lab.comparison.run_result import CurvePoint
from nmt_lstm.training.csv_log import read_log

__all__ = ["device_bytes", "peak_bytes", "read_curve", "training_speed"]

_SECONDS, _SPEED = "elapsed_seconds", "target_pieces_per_second"


def read_curve(model: Path) -> list[CurvePoint]:
    """Return the validations that a training has logged, in the order of its steps."""
    return [
        CurvePoint(
            step=int(row["step"]),
            seconds=float(row[_SECONDS]),
            loss=float(row["valid_loss"]),
            bleu=float(row["valid_bleu"]),
            chrf=float(row["valid_chrf"]),
        )
        for row in read_log(model)
        if row["valid_bleu"]
    ]


def training_speed(model: Path) -> float:
    """Return the median over validations of the target pieces per second since the one before; 0 if unknown."""
    speeds = [float(row[_SPEED]) for row in read_log(model) if row[_SPEED]]
    return statistics.median(speeds) if speeds else 0.0


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far."""
    try:
        # getrusage would also count what the parent held when it started this process.
        with Path("/proc/self/status").open(encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_bytes() -> int | None:
    """Return the largest memory that this process had on the GPU so far; None if it used none."""
    if not torch.cuda.is_available():
        return None
    return int(torch.cuda.max_memory_allocated()) or None
