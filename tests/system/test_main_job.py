"""The main job through the shell: train, translate, evaluate, score; pipes, signals and awkward lines."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

AWKWARD = (
    "eins zwei drei .\n"
    "\n"
    "   \n"
    "vier\u2028fünf\u0085sechs\x0b .\n"
    "\x00\x07 control\n" + "neun " * 20_000 + "\n" + "漢字 🙂 unknown\n"
    "\ufeffnull eins\n"
    "no line end"
).encode()


def test_a_model_folder_is_complete(model_folder: Path) -> None:
    names = {path.name for path in model_folder.iterdir()}
    assert {"run.toml", "model.safetensors", "manifest.json", "metrics.json"} <= names


def test_translations_are_evaluated_with_signatures(command, model_folder, parallel_files, tmp_path) -> None:
    output = tmp_path / "out.txt"
    command("translate", "-m", model_folder, "-i", parallel_files.valid_source, "-o", output)
    assert len(output.read_text(encoding="utf-8").splitlines()) == 40
    scored = command(
        "evaluate", "--hypotheses", output, "-r", parallel_files.valid_target, "--format", "json"
    )
    text = scored.stdout.decode()
    json.loads(text)
    assert "BLEU" in text
    assert "version:" in text


def test_evaluating_a_model_and_its_output_is_the_same(
    command, model_folder, parallel_files, tmp_path
) -> None:
    output = tmp_path / "out.txt"
    command("translate", "-m", model_folder, "-i", parallel_files.valid_source, "-o", output)
    references = ("-r", parallel_files.valid_target, "--format", "json")
    from_output = command("evaluate", "--hypotheses", output, *references).stdout
    from_model = command(
        "evaluate", "-m", model_folder, "-s", parallel_files.valid_source, *references
    ).stdout
    assert from_output == from_model


def test_each_line_has_its_line(command, model_folder) -> None:
    finished = command("translate", "-m", model_folder, stdin=AWKWARD)
    lines = finished.stdout.decode().split("\n")
    assert lines[-1] == ""
    assert len(lines) - 1 == 9
    assert lines[1:3] == ["", ""]
    assert b"Traceback" not in finished.stderr


def test_bytes_that_are_not_utf8_are_warned_of(command, model_folder) -> None:
    finished = command("translate", "-m", model_folder, stdin=b"eins\nzw\xff\xfeei\ndrei\n")
    assert finished.stdout.count(b"\n") == 3
    assert b"line 2" in finished.stderr


@pytest.mark.parametrize("batch_size", ["1", "7", "256"])
def test_batch_size_changes_nothing(command, model_folder, parallel_files, batch_size) -> None:
    """The first complaint of users of other toolkits: translations that depend on their neighbours."""
    text = parallel_files.train_source.read_bytes()
    options = ("-m", model_folder, "--precision", "float32", "--scores")
    expected = command("translate", *options, "--batch-size", "64", stdin=text).stdout
    assert command("translate", *options, "--batch-size", batch_size, stdin=text).stdout == expected
    assert expected.count(b"\n") == 400


def test_a_closed_pipe_is_silent(script, model_folder, parallel_files) -> None:
    source = parallel_files.train_source
    line = f"for i in 1 2 3 4 5; do cat '{source}'; done | '{script}' translate -m '{model_folder}' -b 1 | head -n 1"
    finished = subprocess.run(["bash", "-c", line], capture_output=True, timeout=120, check=True)
    assert finished.stdout.count(b"\n") == 1
    for word in (b"Traceback", b"rror", b"BrokenPipe", b"Exception"):
        assert word not in finished.stderr


def test_interrupting_keeps_what_was_printed(script, model_folder) -> None:
    process = subprocess.Popen(
        [script, "translate", "-m", str(model_folder), "--interactive"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"eins zwei .\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert answer.endswith(b"\n")
    assert process.returncode == 130
    assert b"Traceback" not in complaints


def test_given_translations_are_scored(command, model_folder, parallel_files) -> None:
    files = ("-s", parallel_files.valid_source, "-t", parallel_files.valid_target)
    assert len(command("score", "-m", model_folder, *files).stdout.splitlines()) >= 40


def test_an_ensemble_of_a_model_and_its_copy_is_that_one(
    command, model_folder, parallel_files, tmp_path
) -> None:
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    files = ("-s", parallel_files.valid_source, "-t", parallel_files.valid_target)
    once = command("score", "-m", model_folder, *files).stdout.split()
    twice = command("score", "-m", model_folder, "-m", copy, *files).stdout.split()
    assert [float(number) for number in twice] == pytest.approx([float(number) for number in once], abs=1e-3)
    text = parallel_files.valid_source.read_bytes()
    found = command("translate", "-m", model_folder, "-m", copy, stdin=text).stdout
    assert len(found.splitlines()) == len(text.splitlines())


def test_a_changed_model_file_is_refused(command, model_folder, tmp_path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in model_folder.iterdir():
        if path.is_file():
            (damaged / path.name).write_bytes(path.read_bytes())
    weights = bytearray((damaged / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (damaged / "model.safetensors").write_bytes(weights)
    finished = command("translate", "-m", damaged, stdin=b"eins\n", status=1)
    assert b"model.safetensors" in finished.stderr
    assert b"Traceback" not in finished.stderr


def imported_by(script: str, *arguments: str) -> set[str]:
    """Top-level modules that a command imported, as Python itself reports them."""
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return {
        line.rsplit("|", 1)[-1].strip()
        for line in finished.stderr.splitlines()
        if line.startswith("import time")
    }


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("plugins",)])
def test_help_and_lists_import_nothing_heavy(script, arguments) -> None:
    imported = imported_by(script, *arguments)
    assert "typer" in imported
    assert not imported & {"torch", "numpy", "pytorch_lightning", "sentencepiece", "sacrebleu"}


def test_the_check_above_can_fail(script) -> None:
    assert "torch" in imported_by(script, "doctor")


def test_module_and_script_are_the_same_command(script) -> None:
    by_script = subprocess.run([script, "--version"], capture_output=True, check=True)
    by_module = subprocess.run(
        [sys.executable, "-m", "nmt_lstm", "--version"], capture_output=True, check=True
    )
    assert by_script.stdout == by_module.stdout
