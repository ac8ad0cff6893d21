"""Too little memory: the command ends with one error that says what to do, and nothing that was saved is lost.

`NMT_LSTM_MEMORY` is the number of limits that each command meets.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.spread]
LIMITS = int(os.environ.get("NMT_LSTM_MEMORY", "1"))
MIB = 1 << 20
# What Python, PyTorch and its libraries need before a command begins its work.
IMPORTS = """
import resource, sys
from nmt_lstm.cli.app import main
import torch, pytorch_lightning, sacrebleu
import nmt_lstm.training.fit, nmt_lstm.inference.translator, nmt_lstm.lab.leaderboard.board
limit = int(sys.argv.pop(1))
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))
sys.exit(main(sys.argv[1:]))
"""


def limited(folder: Path, limit: int, *words: object) -> tuple[int, str]:
    """Run a command that may use so many bytes more than its libraries, and return its status and what it wrote to stderr."""
    if sys.platform != "linux":
        pytest.skip("only Linux limits the data of a process")
    finished = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(limit), *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=600,
        check=False,
        # Otherwise the restart without a thread cache would need the script's file.
        env={**os.environ, "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
    )
    return finished.returncode, finished.stderr


def problem_of(status: int, errors: str) -> str:
    """Say what is wrong with how a command ended; empty if it succeeded or had one error about memory."""
    found = [line for line in errors.splitlines() if line.startswith("nmt-lstm: error: ")]
    if status == 0 or (
        status == 1 and len(found) == 1 and "memory" in found[0] and "Traceback" not in errors
    ):
        return ""
    return f"status {status}: {errors[-3000:]}"


def train_words(files, *settings: str, steps: int = 10) -> list[object]:
    texts = ("-s", files.train_source, "-t", files.train_target)
    valid = ("--valid-source", files.valid_source, "--valid-target", files.valid_target)
    values = (
        "training.precision=float32", "training.validate_every=5", "subwords.vocabulary_size=300", f"training.max_steps={steps}",
        *settings,
    )  # fmt: skip
    return ["train", *texts, *valid, *(word for value in values for word in ("--set", value))]


def counted_limits(folder: Path, what: str, words: list[object], counted, largest: int) -> None:
    """Run a command under random limits; at least one must be too low."""
    draw, problems, failures = random.Random(what), [], 0
    for number in range(LIMITS):
        limit = int(largest * (0.1 if number == 0 else draw.uniform(0.02, 1.0)))
        status, errors = limited(folder, limit, *words)
        failures += status != 0
        if problem := problem_of(status, errors):
            problems.append(f"{limit / MIB:.0f} MiB: {problem}")
        for path in folder.glob("out*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    counted(
        f"{LIMITS - len(problems)} of {LIMITS} limits on the memory of {what}: {failures} ended with one error, the others well"
    )
    assert not problems, "\n".join(problems)
    assert failures


def test_training(parallel_files, tmp_path, counted):
    words = train_words(parallel_files, "model.encoder.hidden_size=512", "model.decoder.hidden_size=512")
    counted_limits(tmp_path, "train", [*words, "-o", "out"], counted, 400 * MIB)


def test_a_translation(random_model_folder, tmp_path, counted):
    (tmp_path / "in").write_text(("eins zwei drei . " * 20 + "\n") * 200)
    words = ("translate", "-m", random_model_folder, "-i", "in", "-o", "out", "-b", 50, "--batch-size", 200)
    counted_limits(tmp_path, "translate", list(words), counted, 200 * MIB)


def test_what_was_saved_is_intact(parallel_files, tmp_path):
    """A run that fits is resumed with too little memory, and then with enough."""
    small = ("model.encoder.hidden_size=256", "model.decoder.hidden_size=256")
    whole, unlimited = tmp_path / "whole", 64 << 30
    words, longer = (
        train_words(parallel_files, *small, "data.prepared=prepared", steps=steps) for steps in (10, 15)
    )
    status, errors = limited(tmp_path, unlimited, *words, "-o", whole)
    assert status == 0, errors
    shutil.copytree(whole, tmp_path / "resumed")
    status, errors = limited(tmp_path, 12 * MIB, *longer, "-o", "resumed", "--resume")
    assert status == 1, errors
    assert not problem_of(status, errors)
    for name in ("whole", "resumed"):
        status, errors = limited(tmp_path, unlimited, *longer, "-o", name, "--resume")
        assert status == 0, errors
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "resumed")]
    assert weights[0] == weights[1]
    assert not [path.name for path in (tmp_path / "resumed").rglob(".*") if path.name != ".lock"]


def test_the_limit_is_one(tmp_path):
    """The tests above can fail: a process cannot use more."""
    code = "limit = 1 << 24; import resource; resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)); bytearray(1 << 26)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MemoryError" in finished.stderr
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 1 << 24
