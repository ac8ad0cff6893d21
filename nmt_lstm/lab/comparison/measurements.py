"""What is measured of a training run: its validations, its speed, its memory."""

from __future__ import annotations

import math
import resource
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from nmt_lstm.lab.comparison.run_result import CurvePoint
from nmt_lstm.training.diagnosis import Point

__all__ = ["curve_points", "device_bytes", "peak_bytes", "training_speed"]


def curve_points(curve: Sequence[Point]) -> list[CurvePoint]:
    """Return the validations of a training run, but for those of earlier versions, of which only the loss is known."""
    return [
        CurvePoint(step=point.step, seconds=point.seconds, loss=point.loss, bleu=point.bleu, chrf=point.chrf)
        for point in curve
        if not math.isnan(point.bleu)
    ]


def training_speed(curve: Sequence[Point]) -> float:
    """Return the median over validations of the target pieces per second since the one before; 0 if unknown."""
    speeds = [point.pieces_per_second for point in curve if not math.isnan(point.pieces_per_second)]
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
