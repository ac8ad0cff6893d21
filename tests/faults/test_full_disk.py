"""Full disks, limits on the size of files and read-only folders: one error, nothing lost or half written, and then on.

`NMT_LSTM_DISKS` is the number of sizes of the disk, and of the largest file, that each command meets.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from disks import FILLER, PAGE, limit_files, read_only, small_disk

from nmt_lstm.cli.app import main
from nmt_lstm.text.text_file import read_lines

pytestmark = [pytest.mark.long, pytest.mark.spread]
SIZES = int(os.environ.get("NMT_LSTM_DISKS", "1"))
IMPORTED = Path(__file__).parents[1] / "importing" / "models" / "joeynmt-gru"
CLOCK = ("written", "seconds", "added", "speed", "sha256", "bytes", "pid")


def nothing(_: Path) -> None:
    pass


@dataclass(frozen=True)
class Case:
    """A command that writes into a folder."""

    words: Callable[[Path], list[object]]
    setup: Callable[[Path], object] = nothing
    """Puts into the folder what the command changes or replaces."""
    again: tuple[str, ...] = ()
    """Options with which it goes on."""
    streams: tuple[str, ...] = ()
    """Files whose first lines may remain, if they are whole."""
    ignored: tuple[str, ...] = field(default=("tensorboard", "prepared"))
    """Parts of the names of files that may remain or differ."""


@pytest.fixture(scope="module")
def cases(parallel_files, random_model_folder, references, output_of, tmp_path_factory) -> dict[str, Case]:
    """The commands by name."""
    inputs = tmp_path_factory.mktemp("inputs")
    lines = parallel_files.train_source.read_text().splitlines()
    (inputs / "in").write_text("".join(f"{line}\n" for line in lines[:160]))
    (inputs / "references").write_text("\n".join(references) + "\n")
    for name in ("one", "two"):
        (inputs / name).write_text("\n".join(output_of(len(name), 0.2)) + "\n")
    texts = ("-s", parallel_files.train_source, "-t", parallel_files.train_target)
    valid = ("--valid-source", parallel_files.valid_source, "--valid-target", parallel_files.valid_target)
    settings = {
        "training.max_steps": 20,
        "training.validate_every": 10,
        "training.checkpoint_every": 5,
        "training.precision": "float32",
        "training.batch_pieces": 400,
        "subwords.vocabulary_size": 300,
        "model.embedding_size": 24,
        "model.encoder.hidden_size": 32,
        "model.decoder.hidden_size": 32,
    }
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    translate = ("translate", "-m", random_model_folder, "-i", inputs / "in", "-b", 1)
    parallel = ("-s", inputs / "references", "-r", inputs / "references", "--source-language", "de", "--target-language", "en")  # fmt: skip

    def run_file(folder: Path) -> None:
        sides = "".join(f'train_{side} = "{getattr(parallel_files, f"train_{side}")}"\n' for side in ("source", "target"))  # fmt: skip
        (folder / "run.toml").write_text(
            f"[data]\n{sides}prepared = 'ready'\n[subwords]\nvocabulary_size = 300\n"
        )

    def board(folder: Path) -> None:
        assert quiet_main("leaderboard", "init", folder / "board", *parallel)[0] == 0
        add = ("--system", "one", "--hypotheses", inputs / "one")
        assert quiet_main("leaderboard", "add", folder / "board", *add)[0] == 0

    exported = inputs / "exported"
    assert quiet_main("export", "-m", random_model_folder, "-o", exported, "--precision", "float32")[0] == 0

    def model(name: str) -> Callable[[Path], object]:
        return lambda folder: shutil.copytree(random_model_folder, folder / name)

    return {
        "prepare": Case(lambda folder: ["prepare", folder / "run.toml"], setup=run_file, ignored=()),
        "train": Case(
            lambda folder: ["train", *texts, *valid, "-o", folder / "run", *words, "--set", f"data.prepared={folder / 'prepared'}"],
            again=("--resume",),
        ),
        "export": Case(
            lambda folder: ["export", "-m", random_model_folder, "-o", folder / "exported", "--overwrite"], setup=lambda folder: shutil.copytree(exported, folder / "exported")
        ),
        "export to onnx": Case(
            lambda folder: ["export", "-m", random_model_folder, "-o", folder / "exported", "--format", "onnx"]
        ),
        "translate": Case(lambda folder: [*translate, "-o", folder / "out"], streams=("out",)),
        "translate to gz": Case(lambda folder: [*translate, "-o", folder / "out.gz"], streams=("out.gz",)),
        "translate in parts": Case(lambda folder: [*translate, "-o", folder / "out", "--resume", "--part-lines", 16]),
        "leaderboard add": Case(
            lambda folder: ["leaderboard", "add", folder / "board", "--system", "two", "--hypotheses", inputs / "two"], setup=board
        ),
        "inspect": Case(
            lambda folder: ["inspect", "-m", random_model_folder, "eins zwei .", "-o", folder / "page.html"],
            setup=lambda folder: (folder / "page.html").write_text("<p>earlier"),
        ),
        "import": Case(
            lambda folder: ["import", "joeynmt", IMPORTED, "-o", folder / "imported", "--overwrite"], setup=model("imported")
        ),
    }  # fmt: skip


NAMES = (
    "prepare", "train", "export", "translate", "translate to gz", "translate in parts", "leaderboard add", "inspect",
    "import", *(("export to onnx",) if SIZES > 1 else ()),
)  # fmt: skip


def quiet_main(*arguments: object) -> tuple[int, str]:
    """Run a command in this process, and return its status and what it wrote to stderr."""
    errors, output = io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
        return main([str(argument) for argument in arguments]), errors.getvalue()


def limited_main(size: int, *arguments: object) -> tuple[int, str]:
    """Run a command in a process that can write no file larger than that."""
    finished = subprocess.run(
        [sys.executable, "-m", "nmt_lstm", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=functools.partial(limit_files, size),
    )
    return finished.returncode, finished.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != FILLER
    }


def comparable(name: str, content: bytes) -> object:
    """Return the content of a file without the values that depend on the clock."""
    if name.endswith(".json"):
        return timeless(json.loads(content))
    if name.endswith(".jsonl"):
        return [timeless(json.loads(line)) for line in content.splitlines()]
    if name.endswith("metrics.csv"):
        rows = csv.DictReader(io.StringIO(content.decode()))
        return [[value for key, value in row.items() if "second" not in key] for row in rows]
    if name.endswith((".ckpt", ".onnx")):  # with the clock of the run, and in an order that differs
        return None
    return re.sub(rb"[\w/.-]*test_[\w/.-]*", b"PATH", content)


def timeless(values: object) -> object:
    if isinstance(values, dict):
        return {key: timeless(value) for key, value in values.items() if not any(word in key for word in CLOCK)}  # fmt: skip
    return [timeless(value) for value in values] if isinstance(values, list) else values


def refusal_problem(status: int, errors: str) -> str:
    """Say what is wrong with how a command failed; empty if it was one error, in one or two lines."""
    lines = errors.splitlines()
    found = [index for index, line in enumerate(lines) if line.startswith("nmt-lstm: error: ")]
    if status not in (1, 2) or len(found) != 1 or len(lines) - found[0] > 2 or "Traceback" in errors:
        return f"status {status}: {errors}"
    return ""


def remains_problem(case: Case, before: dict[str, bytes], after: dict[str, bytes]) -> str:
    """Say what was lost, or was left half written; empty if nothing was."""
    for name, content in before.items():
        if after.get(name) != content and not name.endswith((".csv", ".ckpt")):
            return f"'{name}' was changed"
    for name, content in after.items():
        base = name.rpartition("/")[2]
        if base.startswith(".") and not base.endswith("lock"):
            return f"'{name}' was left"
        if name in case.streams and not name.endswith(".gz") and content and not content.endswith(b"\n"):
            return f"'{name}' ends with half a line"
    return ""


def end_problem(case: Case, expected: dict[str, bytes], folder: Path) -> str:
    """Say what differs from an undisturbed command; empty if nothing does."""
    actual = contents(folder)
    for name in sorted(expected.keys() | actual.keys()):
        if any(word in name for word in case.ignored) or name.rpartition("/")[2].startswith("."):
            continue
        if name not in expected or name not in actual:
            return f"'{name}' is {'missing' if name in expected else 'new'} afterwards"
        if comparable(name, expected[name]) != comparable(name, actual[name]):
            return f"'{name}' differs afterwards"
    return ""


def check(case: Case, folder: Path, limited: Callable[[], tuple[int, str]]) -> str | None:
    """Run a command that cannot write, then once more; say what went wrong, or None if it could write."""
    before = contents(folder)
    status, errors = limited()
    if status == 0:
        return None
    if problem := refusal_problem(status, errors) or remains_problem(case, before, contents(folder)):
        return problem
    return ""


@pytest.fixture
def undisturbed(cases, tmp_path) -> Callable[[str], tuple[Case, dict[str, bytes]]]:
    """A function that returns a case by name, and the files that it should end with."""

    def run(name: str) -> tuple[Case, dict[str, bytes]]:
        folder = tmp_path / "whole"
        folder.mkdir()
        cases[name].setup(folder)
        status, errors = quiet_main(*cases[name].words(folder))
        assert status == 0, errors
        return cases[name], contents(folder)

    return run


def finish(case: Case, folder: Path, expected: dict[str, bytes]) -> str:
    status, errors = quiet_main(*case.words(folder), *case.again)
    return f"afterwards: {errors}" if status else end_problem(case, expected, folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(name, undisturbed, tmp_path, counted):
    case, expected = undisturbed(name)
    draw, problems, failures, folder = random.Random(name), [], 0, tmp_path / "disk"
    needed = sum(PAGE * -(-len(content) // PAGE) for content in expected.values())
    for _ in range(SIZES * 3):
        if failures == SIZES:
            break
        with small_disk(folder) as disk:
            case.setup(folder)
            free = int(draw.uniform(0, 1) ** 3 * needed)
            disk.fill(free)
            problem = check(case, folder, lambda: quiet_main(*case.words(folder)))
            if problem is None:
                continue
            failures += 1
            disk.free_space()
            if problem := problem or finish(case, folder, expected):
                problems.append(f"{free:,} bytes were free: {problem}")
    counted(
        f"{failures - len(problems)} of {failures} full disks during {name}: one error, nothing lost, then on"
    )
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES if SIZES > 1 else ("train", "prepare"))
def test_a_limit_on_the_size_of_files(name, undisturbed, tmp_path, counted):
    case, expected = undisturbed(name)
    draw, problems, failures, folder = random.Random(name), [], 0, tmp_path / "limited"
    largest = max(map(len, expected.values()))
    for _ in range(SIZES * 3):
        if failures == SIZES:
            break
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        case.setup(folder)
        size = int(largest * draw.uniform(0, 1) ** 2)
        problem = check(case, folder, functools.partial(limited_main, size, *case.words(folder)))
        if problem is None:
            continue
        failures += 1
        if problem := problem or finish(case, folder, expected):
            problems.append(f"files of at most {size:,} bytes: {problem}")
    counted(
        f"{failures - len(problems)} of {failures} limits on files during {name}: one error, nothing lost, then on"
    )
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", NAMES)
def test_a_read_only_folder(name, undisturbed, tmp_path):
    case, expected = undisturbed(name)
    folder = tmp_path / "read-only"
    with small_disk(folder) if os.geteuid() == 0 else contextlib.nullcontext():
        folder.mkdir(exist_ok=True)
        case.setup(folder)
        before = contents(folder)
        with read_only(folder):
            status, errors = quiet_main(*case.words(folder))
        assert not refusal_problem(status, errors)
        assert contents(folder) == before
        assert not finish(case, folder, expected)


def test_whole_lines_remain_of_a_translation(cases, tmp_path):
    """What a full disk leaves of a plain file is the beginning of the translation."""
    case = cases["translate"]
    assert quiet_main(*case.words(tmp_path))[0] == 0
    whole = [*read_lines(tmp_path / "out")]
    with small_disk(tmp_path / "disk") as disk:
        disk.fill(PAGE)
        assert quiet_main(*case.words(tmp_path / "disk"))[0] == 1
        left = (tmp_path / "disk" / "out").read_text().splitlines()
    assert left == whole[: len(left)]
