"""Marian in the comparison: its settings, the times of its updates, and translations of a fixed length."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

# Prints what Marian prints for its updates, and takes a while for each.
TRAINER = """
import sys, time
print("[config] " + " ".join(sys.argv[1:]), file=sys.stderr)
for update in range(1, 5):
    end = time.process_time() + 0.01
    while time.process_time() < end:
        pass
    print(f"[2026-01-01 00:00:00] Ep. 1 : Up. {update} : Sen. 80 : Cost 8.9 : Time 9.99s", file=sys.stderr)
print("Error: the disk is full", file=sys.stderr)
"""
# Stops as Marian does: at the first length that is not below the multiple of the longest source, END included.
TRANSLATOR = """
import math

class Translator:
    def __init__(self, options):
        self.options = options

    def translate(self, lines, **options):
        assert len(lines) <= 2
        longest = max(len(line.split()) for line in lines) + 1
        length = math.ceil(options["max-length-factor"] * longest)
        return [" ".join([line.split()[0]] + ["x"] * (length - 1)) for line in lines]
"""


@pytest.fixture
def module(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module


def run_beside(package: str, program: str, words: list[object], folder: Path) -> subprocess.CompletedProcess:
    """Run a program of the benchmarks with another package in the place of pymarian."""
    (folder / "pymarian").mkdir()
    (folder / "pymarian" / "__init__.py").write_text(package if "class" in package else "", "utf-8")
    (folder / "pymarian" / "__main__.py").write_text(package, "utf-8")
    return subprocess.run(
        [sys.executable, "-P", program, *map(str, words)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
        timeout=120,
    )


def wait_for_lines(path: Path, count: int) -> None:
    """The recorder's reader may end a little after the program that it reads."""
    end = time.monotonic() + 60
    while not path.exists() or len(path.read_text("utf-8").splitlines()) < count:
        assert time.monotonic() < end, "the reader wrote too little"
        time.sleep(0.01)


@pytest.mark.parametrize("feeding", [False, True])
def test_marian_gets_the_network_closest_to_the_shared_one(module, tmp_path, feeding) -> None:
    shared, marian = module("peer_toolkit"), module("peer_marian")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "vocabulary.txt").write_text("▁a\n:\n", "utf-8")
    text = shared.SplitText(tmp_path / "text", 161, 2_000)
    training = shared.Training(tmp_path, text, feeding, 4, 2)
    command = marian.Marian(width=32).train_command(tmp_path / "python", training)
    assert command.words[:3] == (tmp_path / "python", "-P", marian.RECORDER)
    settings = json.loads((tmp_path / "train.yaml").read_text("utf-8"))
    assert (settings["dim-emb"], settings["dim-rnn"]) == (shared.EMBEDDING, 32)
    assert (settings["mini-batch"], settings["maxi-batch"]) == (shared.BATCH_SENTENCES, 3)
    assert settings["dec-cell-base-depth"] == (2 if feeding else 1)
    assert (settings["after-batches"], settings["save-freq"], settings["disp-freq"]) == (4, "2u", "1u")
    numbers = json.loads(Path(settings["vocabs"][0]).read_text("utf-8"))
    assert numbers == {"</s>": 0, "<unk>": 1, "▁a": 2, ":": 3}


def test_marian_translates_with_the_vocabulary_beside_the_model(module, tmp_path) -> None:
    shared, marian = module("peer_toolkit"), module("peer_marian").Marian()
    model = tmp_path / "trained" / "model.bin"
    for length, program in ((None, "decode"), (11, "peer_marian_length.py")):
        translation = shared.Translation(tmp_path, model, tmp_path / "in", tmp_path / "out", 5, length)
        words = list(map(str, marian.translate_command(tmp_path / "python", translation).words))
        assert any(word.endswith(program) for word in words)
        assert words.count(str(tmp_path / "trained" / "vocabulary.yml")) == 2
        assert words[words.index("--beam-size") + 1] == "5"
        assert ("11" in words) == (length is not None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the recorder starts its reader with fork")
def test_the_recorder_writes_both_clocks_at_each_update(module, repository, tmp_path) -> None:
    begin, steps = time.monotonic(), tmp_path / "steps.txt"
    program = repository / "benchmarks" / "peer_marian_recorded.py"
    finished = run_beside(TRAINER, str(program), [steps, "--seed", 7], tmp_path)
    wait_for_lines(steps, 5)
    assert b"[config] train --seed 7" in finished.stderr
    record = module("peer_runner").Record.read(steps)
    assert record.parameters == 0
    assert len(record.wall) == 4
    assert begin < record.wall[0]
    assert list(record.wall) == sorted(record.wall)
    # The processor time of the trainer, which computes between updates, not that of the reader, which waits.
    assert record.processor[-1] - record.processor[0] > 0.02


def test_translations_have_one_length_and_the_order_of_their_sources(repository, tmp_path) -> None:
    source, output = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("a b c d e\nf\ng h i j k l m n o p q r s\nt u\nv w x\n", "utf-8")
    program = repository / "benchmarks" / "peer_marian_length.py"
    run_beside(TRANSLATOR, str(program), [11, 2, source, output, "--beam-size", 5], tmp_path)
    result = [line.split() for line in output.read_text("utf-8").splitlines()]
    assert [pieces[0] for pieces in result] == ["a", "f", "g", "t", "v"]
    assert {len(pieces) for pieces in result} == {11}


def test_parameters_are_counted_and_ends_prevented_in_model_files(module, tmp_path) -> None:
    marian_model = module("peer_marian_model")
    weights = {"Wemb": np.zeros((5, 3), "f"), "decoder_ff_logit_l2_b": np.zeros((1, 5), "f")}
    options = np.frombuffer(b"dim-emb: 3\n", "i1")
    np.savez(tmp_path / "model.npz", **weights, **{"special:model.yml": options})
    assert marian_model.parameters(tmp_path / "model.npz") == 5 * 3 + 5
    marian_model.without_end(tmp_path / "model.npz", tmp_path / "endless.npz")
    with np.load(tmp_path / "endless.npz") as result:
        assert result["decoder_ff_logit_l2_b"].tolist() == [[-50.0, 0, 0, 0, 0]]
        assert result["decoder_ff_logit_l2_b"].dtype == np.float32
        assert result["special:model.yml"].tobytes() == options.tobytes()


def test_8_bit_weights_come_from_the_model_of_another_runner(module, tmp_path, monkeypatch) -> None:
    runners, shared = module("peer_marian_runners"), module("peer_toolkit")
    text = shared.SplitText(tmp_path, 160, 2_000)
    pieces = module("peer_text").Pieces(text, text, tmp_path)
    deadline = module("peer_runner").Deadline(60)
    trained = runners.MarianRunner(module("peer_marian").Marian(), tmp_path, pieces, tmp_path, deadline)
    model = tmp_path / "model.iter4.npz"
    monkeypatch.setattr(trained, "untrained", lambda feeding: model)
    ran = []
    monkeypatch.setattr(runners, "run", lambda command, **_: ran.append(list(map(str, command.words))))
    runner = runners.Int8MarianRunner(trained)
    assert runner.untrained(feeding=True) == tmp_path / "model.iter4.bin"
    assert ran[0][1:] == [
        "convert", "--from", str(model), "--to", str(tmp_path / "model.iter4.bin"), "--gemm-type", "intgemm8",
    ]  # fmt: skip
    assert not runner.trains
    assert runner.name == "Marian 1.12.42, int8"
    assert runner.key == trained.key
