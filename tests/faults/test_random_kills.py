"""Programs killed at random moments end, once they are started again, with the results of one that was never disturbed.

Half of the kills come at a random time. The others are within a random part of the work, such as the writing of a
checkpoint, which a random time would seldom meet. `NMT_LSTM_KILLS` is the number of kills of each program, and
`NMT_LSTM_SEED` chooses other moments.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
from pathlib import Path

import pytest
from kills import (
    KILLS,
    SEED,
    Kill,
    contents,
    counted_kills,
    is_killed,
    leftovers,
    nmt_lstm,
    nmt_lstm_forked,
    outcome,
    run,
    time_of,
)  # fmt: skip

pytestmark = [pytest.mark.long, pytest.mark.spread]
TRAIN = {
    "training.epochs": "30",
    "training.max_steps": "60",
    "training.validate_every": "20",
    "training.checkpoint_every": "5",
    "training.precision": "float32",
    "training.batch_pieces": "400",
    "training.ema": "0.9",
    "training.accumulate": "2",
    "subwords.vocabulary_size": "300",
    "subwords.sampling": "0.2",
    "model.embedding_size": "24",
    "model.encoder.hidden_size": "32",
    "model.decoder.hidden_size": "32",
}
# How often a part is called in an undisturbed run, and the longest time and most operations on files that one call takes.
TRAINING_PARTS = {
    "preparation": (1, 0.05, 12),
    "step": (120, 0.05, 0),
    "validation": (3, 0.4, 20),
    "weights": (3, 0.02, 6),
    "model": (3, 0.03, 20),
    "checkpoint": (12, 0.02, 8),
    "end": (1, 0.8, 20),
}


def train_command(files, output: str) -> list[str]:
    texts = ("-s", files.train_source, "-t", files.train_target)
    valid = ("--valid-source", files.valid_source, "--valid-target", files.valid_target)
    settings = [word for key, value in TRAIN.items() for word in ("--set", f"{key}={value}")]
    return nmt_lstm_forked(
        "train", *texts, *valid, "-o", output, *settings, "--set", f"data.prepared={output}-prepared"
    )


def logged(folder: Path) -> list[tuple[str, ...]]:
    """The rows of a log without the columns that depend on the clock."""
    with (folder / "logs" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    clock = ("elapsed_seconds", "target_pieces_per_second")
    return [tuple(value for name, value in row.items() if name not in clock) for row in rows]


def test_training(parallel_files, tmp_path, counted):
    seconds = time_of(train_command(parallel_files, "whole"), tmp_path)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = train_command(parallel_files, "killed")

    def attempt(kill: Kill) -> bool:
        for folder in (killed, tmp_path / "killed-prepared"):
            shutil.rmtree(folder, ignore_errors=True)
        return is_killed(command, tmp_path, kill)

    # The prepared text is compared below: here it contains sampled epochs, which are made again only when they are needed.
    def difference() -> str:
        run([*command, "--resume"], tmp_path)
        for name in ("model.safetensors", "checkpoints/step-60.safetensors"):
            if (whole / name).read_bytes() != (killed / name).read_bytes():
                return f"{name} differs"
        names = [
            sorted(path.name for path in (folder / "checkpoints").iterdir()) for folder in (whole, killed)
        ]
        if names[0] != names[1]:
            return f"the checkpoints differ: {names}"
        if logged(whole) != logged(killed):
            return f"the log differs: {logged(whole)} {logged(killed)}"
        return " ".join(leftovers(killed) + leftovers(tmp_path / "killed-prepared"))

    parts = TRAINING_PARTS
    counted_kills(
        "train", counted, attempt, difference, draw=random.Random(SEED + 1), seconds=seconds, parts=parts
    )


def test_preparation(parallel_files, tmp_path, counted):
    for side in ("source", "target"):
        text = getattr(parallel_files, f"train_{side}").read_text()
        (tmp_path / f"train.{side}").write_text(
            "".join(f"{line} {n} .\n" for n in range(20) for line in text.splitlines())
        )
    for name in ("whole", "killed"):
        (tmp_path / f"{name}.toml").write_text(
            f'[data]\ntrain_source = "train.source"\ntrain_target = "train.target"\nprepared = "{name}"\n'
        )
    command = nmt_lstm_forked("prepare", "killed.toml")
    seconds = time_of(nmt_lstm_forked("prepare", "whole.toml"), tmp_path)

    def attempt(kill: Kill) -> bool:
        shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        return is_killed(command, tmp_path, kill)

    def difference() -> str:
        run(command, tmp_path)
        if contents(tmp_path / "whole") != contents(tmp_path / "killed"):
            return "the prepared text differs"
        return " ".join(leftovers(tmp_path / "killed"))

    parts = {"preparation": (1, 1.0, 12)}
    counted_kills(
        "prepare", counted, attempt, difference, draw=random.Random(SEED + 2), seconds=seconds, parts=parts
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_bulk_translation(tmp_path, jobs, counted):
    """One translation that is killed again and again."""
    words = ("two", "three", "four", "five")
    lines = 100 * max(KILLS, 8)
    (tmp_path / "in").write_text("".join(f"The nurse bought {words[n % 4]} books.\n" for n in range(lines)))
    command = nmt_lstm(
        "translate", "-m", "builtin:en-ja", "-i", "in", "-b", 1, "--jobs", jobs, "--batch-size", 8
    )
    seconds = time_of([*command, "-o", "whole"], tmp_path)
    resumed = [*command, "-o", "killed", "--resume", "--part-lines", "16"]
    draw, kills, parts = random.Random(SEED + 3), 0, {"translation": (20, 0.0, 6), "merging": (1, 0.0, 40)}
    moments = dict.fromkeys(["any time", *parts], 0)
    while kills < KILLS:
        kill = Kill.draw(draw, seconds / 2, parts)
        if is_killed(resumed, tmp_path, kill):
            kills += 1
            moments[kill.name()] += 1
        else:  # it was done: once more
            assert (tmp_path / "whole").read_bytes() == (tmp_path / "killed").read_bytes()
            (tmp_path / "killed").unlink()
            shutil.rmtree(tmp_path / "killed.parts")
    run(resumed, tmp_path)
    expected = (tmp_path / "whole").read_bytes().split(b"\n")
    actual = (tmp_path / "killed").read_bytes().split(b"\n")
    wrong = sum(a != b for a, b in zip(expected, actual, strict=False)) + abs(len(expected) - len(actual))
    met = ", ".join(f"{name} {count}" for name, count in moments.items() if count)
    counted(
        f"{wrong} lines of {lines:,} lost, doubled or wrong after {kills} kills of translate --jobs {jobs} ({met})"
    )
    assert not wrong
    assert not leftovers(tmp_path)


def test_the_rows_of_a_board(references, output_of, tmp_path, counted):
    (tmp_path / "references").write_text("\n".join(references) + "\n")
    for name in ("one", "two"):
        (tmp_path / name).write_text("\n".join(output_of(len(name), 0.2)) + "\n")
    texts = ("-s", "references", "-r", "references", "--source-language", "de", "--target-language", "en")
    run(nmt_lstm_forked("leaderboard", "init", "board", *texts), tmp_path)
    run(nmt_lstm_forked("leaderboard", "add", "board", "--system", "one", "--hypotheses", "one"), tmp_path)
    shutil.copytree(tmp_path / "board", tmp_path / "whole")
    add = ("--system", "two", "--hypotheses", "two")
    seconds = time_of(nmt_lstm_forked("leaderboard", "add", "whole", *add), tmp_path)
    show = ("--format", "json")
    expected = json.loads(
        run(nmt_lstm_forked("leaderboard", "show", "whole", *show), tmp_path).partition("\nnmt-lstm")[0]
    )

    def attempt(kill: Kill) -> bool:
        shutil.rmtree(tmp_path / "killed", ignore_errors=True)
        shutil.copytree(tmp_path / "board", tmp_path / "killed")
        return is_killed(nmt_lstm_forked("leaderboard", "add", "killed", *add), tmp_path, kill)

    def difference() -> str:
        run(nmt_lstm_forked("leaderboard", "show", "killed"), tmp_path)
        # The row was complete before the kill, or it is added now.
        status, output = outcome(nmt_lstm_forked("leaderboard", "add", "killed", *add), tmp_path)
        if status != 0 and "two" not in output:
            return output
        shown = json.loads(run(nmt_lstm_forked("leaderboard", "show", "killed", *show), tmp_path))
        if timeless(shown) != timeless(expected):
            return f"the rows differ: {shown} {expected}"
        texts = [contents(tmp_path / name / "texts") for name in ("whole", "killed")]
        return "the texts differ" if texts[0] != texts[1] else ""

    counted_kills(
        "leaderboard add",
        counted,
        attempt,
        difference,
        draw=random.Random(SEED + 4),
        seconds=seconds,
        parts={"row": (1, 0.02, 16)},
    )


CLOCK = ("seconds", "added", "speed", "peak_bytes", "per_second", "sha256", "written", "log")


def timeless(values):
    """Return JSON values without those that depend on the clock or the memory."""
    if isinstance(values, dict):
        return {
            key: timeless(value) for key, value in values.items() if not any(word in key for word in CLOCK)
        }
    return [timeless(value) for value in values] if isinstance(values, list) else values


def test_a_comparison(parallel_files, tmp_path, counted):
    settings = {
        **TRAIN,
        "training.max_steps": "20",
        "training.validate_every": "10",
        "data.train_source": parallel_files.train_source,
        "data.train_target": parallel_files.train_target,
        "data.valid_source": parallel_files.valid_source,
        "data.valid_target": parallel_files.valid_target,
    }
    (tmp_path / "run.toml").write_text("")
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    test = ("--test-source", parallel_files.valid_source, "--test-target", parallel_files.valid_target)

    def command(output: str) -> list[str]:
        prepared = ("--set", f"data.prepared={output}-prepared")
        return nmt_lstm(
            "compare", "run.toml", "--cells", "gru,lstm", "--seeds", 1, "--jobs", 1, *test, *words, *prepared, "-o", output
        )  # fmt: skip

    def results(output: str) -> dict[str, object]:
        folder = tmp_path / output
        texts = {
            path.parent.name: path.read_text() for path in sorted(folder.glob("records/*/translations.txt"))
        }
        weights = {
            path.parent.name: path.read_bytes() for path in sorted(folder.glob("runs/*/*.safetensors"))
        }
        logs = {path.name: logged(path) for path in sorted(folder.glob("runs/*"))}
        records = {
            path.parent.name: timeless(json.loads(path.read_text()))
            for path in sorted(folder.glob("records/*/result.json"))
        }
        return {"translations": texts, "weights": weights, "logs": logs, "results": records}

    seconds = time_of(command("whole"), tmp_path)
    expected = results("whole")

    def attempt(kill: Kill) -> bool:
        for name in ("killed", "killed-prepared"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        return is_killed(command("killed"), tmp_path, kill)

    def difference() -> str:
        run(command("killed"), tmp_path)
        actual = results("killed")
        different = [name for name in expected if expected[name] != actual[name]]
        return " ".join([*different, *leftovers(tmp_path / "killed")])

    counted_kills(
        "compare",
        counted,
        attempt,
        difference,
        draw=random.Random(SEED + 5),
        seconds=seconds,
        parts={"preparation": (1, 0.05, 12), "result": (3, 0.01, 4)},
        kills=max(1, KILLS // 4),
    )
