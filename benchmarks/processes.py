"""Processes that run ``nmt-lstm``, with their time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from text import Text

# The network for speed measurements: 1+1 layers of 512, embeddings of 256, 8,000 pieces.
NETWORK = {
    "model.embedding_size": "256",
    "model.encoder.hidden_size": "512",
    "model.decoder.hidden_size": "512",
    "subwords.vocabulary_size": "8000",
}


@dataclass
class Cost:
    """Time and memory of a finished process."""

    status: int
    wall_seconds: float
    processor_seconds: float
    peak_bytes: int
    resident_bytes: list[int] = field(default_factory=list)


def nmt_lstm(*arguments: str | Path, watch: float = 0.0, threads: int = 0) -> Cost:
    """Run ``nmt-lstm``.

    This process must be small: the peak memory of a child process starts at that of its parent.

    Args:
        arguments: its command line.
        watch: seconds between samples of its resident memory, with that of its own processes; 0 takes none.
        threads: number of threads; 0 is the default of the program.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)} if threads else None,
    )
    errors: list[bytes] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    reader.start()
    resident: list[int] = []
    ended = threading.Event()

    def sample_memory() -> None:
        while watch and not ended.wait(watch):
            resident.append(resident_bytes(process.pid))

    watcher = threading.Thread(target=sample_memory)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    watcher.join()
    reader.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"nmt-lstm {' '.join(map(str, arguments))} failed:\n{errors[0].decode()}")
    return Cost(
        status=process.returncode,
        wall_seconds=time.perf_counter() - begin,
        processor_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        resident_bytes=resident,
    )


def resident_bytes(process: int) -> int:
    """Return the resident memory of a process and of those that it has started, in bytes; 0 if it has ended."""
    folder = Path(f"/proc/{process}")
    try:
        pages = int((folder / "statm").read_text(encoding="utf-8").split()[1])
        threads = [path.read_text(encoding="utf-8") for path in folder.glob("task/*/children")]
    except OSError:
        return 0
    others = sum(resident_bytes(int(child)) for children in threads for child in children.split())
    return pages * os.sysconf("SC_PAGE_SIZE") + others


def train(
    text: Text, folder: Path, steps: int, *, threads: int = 0, watch: float = 0.0, **settings: str
) -> Cost:
    """Train the network for some steps, into `folder` / model."""
    chosen = {
        **NETWORK,
        "training.max_steps": str(steps),
        "data.prepared": str(folder / "prepared"),
        **settings,
    }
    return nmt_lstm(
        "train",
        *("-s", text.train_source, "-t", text.train_target),
        *("--valid-source", text.valid_source, "--valid-target", text.valid_target),
        *("-o", folder / "model"),
        *(word for key, value in chosen.items() for word in ("--set", f"{key}={value}")),
        threads=threads,
        watch=watch,
    )
