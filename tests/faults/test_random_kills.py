"""Programs killed at random moments, again and again, end with the results of one that was never disturbed.

`NMT_LSTM_KILLS` is the least number of kills of each program.
"""

from __future__ import annotations

import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.spread]
KILLS = int(os.environ.get("NMT_LSTM_KILLS", "5"))
TRAIN = {
    "training.epochs": "30",
    "training.max_steps": "300",
    "training.validate_every": "60",
    "training.checkpoint_every": "20",
    "training.precision": "float32",
    "training.batch_pieces": "400",
    "training.ema": "0.99",
    "training.accumulate": "2",
    "subwords.vocabulary_size": "300",
    "subwords.sampling": "0.2",
    "model.embedding_size": "24",
    "model.encoder.hidden_size": "32",
    "model.decoder.hidden_size": "32",
}


def nmt_lstm(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "nmt_lstm", *map(str, arguments)]


def kill_until_done(command: Sequence[str], folder: Path, *, seconds: float, draw: random.Random) -> int:
    """Start a command again and again, kill it after a random time, and let it finish after enough kills.

    Args:
        command: continues what it finds.
        folder: where it runs.
        seconds: the longest time until a kill.
        draw: of the random times.

    Returns:
        How many times it was killed.
    """
    kills = 0
    while True:
        # A new session, so that the processes it starts are killed with it, as when a machine stops.
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=draw.uniform(0.0, seconds) if kills < KILLS else 600)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, output
        return kills


def time_of(command: Sequence[str], folder: Path) -> float:
    """Run a command undisturbed and return the seconds it took."""
    start = time.monotonic()
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return time.monotonic() - start


def train_command(files, output: str) -> list[str]:
    texts = ("-s", files.train_source, "-t", files.train_target)
    valid = ("--valid-source", files.valid_source, "--valid-target", files.valid_target)
    settings = [word for key, value in TRAIN.items() for word in ("--set", f"{key}={value}")]
    return nmt_lstm(
        "train", *texts, *valid, "-o", output, *settings, "--set", f"data.prepared={output}-prepared"
    )


def logged(folder: Path) -> list[tuple[str, ...]]:
    """The rows of a log without the columns that depend on the clock."""
    with (folder / "logs" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    clock = ("elapsed_seconds", "target_pieces_per_second")
    return [tuple(value for name, value in row.items() if name not in clock) for row in rows]


def test_training(parallel_files, tmp_path):
    seconds = time_of(train_command(parallel_files, "whole"), tmp_path)
    command = [*train_command(parallel_files, "killed"), "--resume"]
    kills = kill_until_done(command, tmp_path, seconds=seconds, draw=random.Random(1))
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1], f"after {kills} kills"
    assert logged(tmp_path / "whole") == logged(tmp_path / "killed")


def test_preparation(parallel_files, tmp_path):
    for side in ("source", "target"):
        text = getattr(parallel_files, f"train_{side}").read_text()
        (tmp_path / f"train.{side}").write_text(
            "".join(f"{line} {n} .\n" for n in range(20) for line in text.splitlines())
        )
    for name in ("whole", "killed"):
        (tmp_path / f"{name}.toml").write_text(
            f'[data]\ntrain_source = "train.source"\ntrain_target = "train.target"\nprepared = "{name}"\n'
        )
    seconds = time_of(nmt_lstm("prepare", "whole.toml"), tmp_path)
    kill_until_done(nmt_lstm("prepare", "killed.toml"), tmp_path, seconds=seconds, draw=random.Random(2))
    contents = [
        {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }
        for name in ("whole", "killed")
    ]
    assert contents[0] == contents[1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_bulk_translation(tmp_path, jobs):
    words = ("two", "three", "four", "five")
    (tmp_path / "in").write_text("".join(f"The nurse bought {words[n % 4]} books.\n" for n in range(800)))
    command = nmt_lstm(
        "translate", "-m", "builtin:en-ja", "-i", "in", "-b", 1, "--jobs", jobs, "--batch-size", 8
    )
    seconds = time_of([*command, "-o", "whole"], tmp_path)
    resumed = [*command, "-o", "killed", "--resume", "--part-lines", "16"]
    kill_until_done(resumed, tmp_path, seconds=seconds, draw=random.Random(3))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "killed").read_bytes()


def test_the_rows_of_a_board(references, output_of, tmp_path):
    (tmp_path / "references").write_text("\n".join(references) + "\n")
    for name in ("one", "two"):
        (tmp_path / name).write_text("\n".join(output_of(len(name), 0.2)) + "\n")
    texts = ("-s", "references", "-r", "references", "--source-language", "de", "--target-language", "en")
    time_of(nmt_lstm("leaderboard", "init", "board", *texts), tmp_path)
    time_of(nmt_lstm("leaderboard", "add", "board", "--system", "one", "--hypotheses", "one"), tmp_path)
    shutil.copytree(tmp_path / "board", tmp_path / "whole")
    add = ("--system", "two", "--hypotheses", "two")
    seconds = time_of(nmt_lstm("leaderboard", "add", "whole", *add), tmp_path)
    draw, kills = random.Random(4), 0
    while kills < KILLS:
        shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        shutil.copytree(tmp_path / "board", tmp_path / "killed")
        process = subprocess.Popen(
            nmt_lstm("leaderboard", "add", "killed", *add),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(seconds / 2, seconds))
        process.kill()
        process.wait()
        kills += 1
        shown = subprocess.run(
            nmt_lstm("leaderboard", "show", "killed", "--format", "json"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert shown.returncode == 0, shown.stderr
        again = subprocess.run(
            nmt_lstm("leaderboard", "add", "killed", *add),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 0 or "two" in again.stderr, again.stderr
    rows = [
        [line.split('"written')[0] for line in (tmp_path / name / "rows.jsonl").read_text().splitlines()]
        for name in ("whole", "killed")
    ]
    assert len(rows[0]) == len(rows[1]) == 2
