"""Translation with Ray: the output of one process, also if an actor is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = pytest.mark.long
WORDS = ("two", "three", "four", "five")


@pytest.fixture
def text(tmp_path):
    (tmp_path / "in").write_text("".join(f"The nurse bought {WORDS[n % 4]} books.\n" for n in range(1500)))
    return tmp_path


def command(*arguments: str) -> list[str]:
    search = ("-b", "1", "--batch-size", "8")
    return [
        sys.executable,
        "-m",
        "nmt_lstm",
        "translate",
        "-m",
        "builtin:en-ja",
        "-i",
        "in",
        *search,
        *arguments,
    ]


def actors() -> list[int]:
    """Ids of the processes of actors that translate."""
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if "ray::ChunkWorker" in line]


@pytest.mark.parametrize("options", [(), ("--resume", "--part-lines", "100")])
def test_one_of_two_actors_is_killed(text, options):
    subprocess.run(command("-o", "whole"), cwd=text, check=True)
    process = subprocess.Popen(
        command("-o", "out", "--engine", "ray", "--jobs", "2", *options),
        cwd=text,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and len(actors()) < 2:
        time.sleep(0.05)
    time.sleep(2)
    os.kill(actors()[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert (text / "out").read_bytes() == (text / "whole").read_bytes()


def test_a_callable_of_ray_data(text, random_model_folder):
    pytest.importorskip("ray.data", reason="ray[data] is not installed")
    import ray

    from nmt_lstm import BatchTranslator, Translator

    lines = ["eins zwei .", "drei .", "vier fünf"] * 20
    expected = {line: Translator.load(random_model_folder).translate([line])[0].text for line in set(lines)}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        data = ray.data.from_items([{"id": number, "text": line} for number, line in enumerate(lines)])
        translated = data.map_batches(
            BatchTranslator, fn_constructor_args=[str(random_model_folder)], concurrency=1, batch_size=7
        )
        rows = sorted(translated.take_all(), key=lambda row: row["id"])
    finally:
        ray.shutdown()
    assert [row["translation"] for row in rows] == [expected[line] for line in lines]
