"""One flipped bit, or a lost end, in the files of a training run that is resumed: see `test_bit_flips.py`."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from flips import Outcome, check_kind, prepared_once, quiet_main

pytestmark = [pytest.mark.long, pytest.mark.spread]


def logged(folder: Path) -> list[list[str]]:
    with (folder / "logs" / "metrics.csv").open(newline="", errors="replace") as file:
        return [
            [value for key, value in row.items() if "second" not in (key or "second")]
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def unfinished_run(parallel_files, tmp_path_factory) -> tuple[Path, list[object]]:
    """A folder with a run that is not at its end, its text and its word vectors; and the words of its command."""
    folder = tmp_path_factory.mktemp("run") / "work"
    folder.mkdir()
    for side in ("source", "target"):
        for name in ("train", "valid"):
            shutil.copy(getattr(parallel_files, f"{name}_{side}"), folder / f"{name}.{side}")
    settings = {
        "training.validate_every": 5,
        "training.checkpoint_every": 3,
        "training.precision": "float32",
        "training.batch_pieces": 400,
        "training.average": "best",
        # Its rates do not depend on the number of steps, which is larger in the resumed run.
        "training.schedule.name": "constant",
        "subwords.vocabulary_size": 300,
        "model.embedding_size": 24,
        "model.encoder.hidden_size": 32,
        "model.decoder.hidden_size": 32,
    }
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    command = train_command(folder, words)
    prepared_once(*command, "--set", "training.max_steps=15")
    return folder, words


def train_command(folder: Path, words: list[object]) -> list[object]:
    sides = (
        ("-s", "train.source"), ("-t", "train.target"), ("--valid-source", "valid.source"), ("--valid-target", "valid.target")
    )  # fmt: skip
    texts = [word for option, name in sides for word in (option, folder / name)]
    return ["train", *texts, "-o", folder / "run", *words, "--set", f"data.prepared={folder / 'prepared'}"]


@pytest.mark.parametrize(
    ("name", "part"),
    [("checkpoints and logs", "run"), ("prepared text", "prepared"), ("text of a run that is resumed", "")],
)
def test_files_of_training(unfinished_run, tmp_path, counted, name, part):
    folder, words = unfinished_run
    shutil.copytree(folder, tmp_path / "work")

    def read(folder: Path) -> Outcome:
        command = train_command(folder, words)
        status, said, _ = quiet_main(*command, "--set", "training.max_steps=17", "--resume")
        if status:
            return Outcome(status, said, None)
        weights = (folder / "run" / "model.safetensors").read_bytes()
        return Outcome(status, said, (weights, logged(folder / "run")))

    def files(path: Path) -> bool:
        inner = path.relative_to(tmp_path / "work")
        if "tensorboard" in str(inner):
            return False
        # Files that the next validation overwrites are never read.
        return inner.parts[0] == part if part else len(inner.parts) == 1

    check_kind(name, tmp_path / "work", read, counted, files=files)
