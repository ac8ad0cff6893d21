"""How long the command takes to answer: processor time of --help, and time until translate has its first answer."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import nmt_lstm, train
from report import Row
from text import find_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("-m", "--model", type=Path, metavar="FOLDER", help="model folder; else one is made")


def measure(options: argparse.Namespace) -> list[Row]:
    """Run both a few times and return the medians."""
    repetitions = 3 if options.quick else 10
    helped = [nmt_lstm("--help").processor_seconds for _ in range(repetitions)]
    with tempfile.TemporaryDirectory() as folder:
        model = options.model
        if model is None:
            train(find_text(options.text), Path(folder), steps=1)
            model = Path(folder) / "model"
        answered = [seconds_to_answer(model) for _ in range(3)]
    return [
        Row(
            "nmt-lstm --help",
            statistics.median(helped),
            "s",
            f"processor time, user and system, median of {repetitions}",
        ),
        Row(
            "nmt-lstm translate",
            statistics.median(answered),
            "s",
            "wall time from start to the first answer, median of 3",
        ),
    ]


def seconds_to_answer(model: Path) -> float:
    """Start ``translate``, give it a line and return how long its translation took."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", "translate", "-m", str(model), "--interactive"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"Ein Hund.\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    seconds = time.perf_counter() - begin
    process.communicate()
    if not answer or process.returncode:
        raise SystemExit(f"nmt-lstm translate -m {model} failed")
    return seconds
