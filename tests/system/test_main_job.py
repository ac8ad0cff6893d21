"""Train, translate, evaluate and score from a shell: pipes, signals and unusual lines."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

UNUSUAL_LINES = (
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


def test_scores_have_signatures(command, model_folder, parallel_files, tmp_path) -> None:
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


def test_a_model_and_its_output_have_the_same_scores(command, model_folder, parallel_files, tmp_path) -> None:
    output = tmp_path / "out.txt"
    command("translate", "-m", model_folder, "-i", parallel_files.valid_source, "-o", output)
    references = ("-r", parallel_files.valid_target, "--format", "json")
    from_output = command("evaluate", "--hypotheses", output, *references).stdout
    from_model = command(
        "evaluate", "-m", model_folder, "-s", parallel_files.valid_source, *references
    ).stdout
    assert from_output == from_model


def test_every_input_line_has_one_output_line(command, model_folder) -> None:
    finished = command("translate", "-m", model_folder, stdin=UNUSUAL_LINES)
    lines = finished.stdout.decode().split("\n")
    assert lines[-1] == ""
    assert len(lines) - 1 == 9
    assert lines[1:3] == ["", ""]
    assert b"Traceback" not in finished.stderr


def test_bytes_that_are_not_utf8_cause_a_warning(command, model_folder) -> None:
    finished = command("translate", "-m", model_folder, stdin=b"eins\nzw\xff\xfeei\ndrei\n")
    assert finished.stdout.count(b"\n") == 3
    assert b"line 2" in finished.stderr


@pytest.mark.parametrize("batch_size", ["1", "7", "256"])
def test_results_do_not_depend_on_the_batch_size(command, model_folder, parallel_files, batch_size) -> None:
    text = parallel_files.train_source.read_bytes()
    options = ("-m", model_folder, "--precision", "float32", "--scores")
    expected = command("translate", *options, "--batch-size", "64", stdin=text).stdout
    assert command("translate", *options, "--batch-size", batch_size, stdin=text).stdout == expected
    assert expected.count(b"\n") == 400


def test_a_closed_pipe_is_silent(script, model_folder, parallel_files) -> None:
    source = parallel_files.train_source
    line = (
        f"for i in 1 2 3 4 5; do cat '{source}'; done | '{script}' translate -m '{model_folder}' -b 1 | head -n 1; "
        "exit ${PIPESTATUS[1]}"
    )
    finished = subprocess.run(["bash", "-c", line], capture_output=True, timeout=120, check=False)
    assert finished.returncode == 141
    assert finished.stdout.count(b"\n") == 1
    # The network was trained for a few steps, and its translations repeat themselves.
    messages = finished.stderr.splitlines()
    assert [line for line in messages if b"the translation" not in line and b"of this kind" not in line] == []


def test_an_interruption_keeps_printed_lines(script, model_folder) -> None:
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
    _, errors = process.communicate(timeout=60)
    assert answer.endswith(b"\n")
    assert process.returncode == 130
    assert b"Traceback" not in errors


def test_score_writes_one_line_per_pair(command, model_folder, parallel_files) -> None:
    files = ("-s", parallel_files.valid_source, "-t", parallel_files.valid_target)
    assert len(command("score", "-m", model_folder, *files).stdout.splitlines()) >= 40


def test_an_ensemble_of_a_model_and_its_copy_scores_as_the_model(
    command, model_folder, parallel_files, tmp_path
) -> None:
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    files = ("-s", parallel_files.valid_source, "-t", parallel_files.valid_target)
    once = command("score", "-m", model_folder, *files).stdout.split()
    twice = command("score", "-m", model_folder, "-m", copy, *files).stdout.split()
    assert [float(number) for number in twice] == pytest.approx([float(number) for number in once], abs=1e-3)
    text = parallel_files.valid_source.read_bytes()
    translations = command("translate", "-m", model_folder, "-m", copy, stdin=text).stdout
    assert len(translations.splitlines()) == len(text.splitlines())


def test_a_damaged_model_file_is_an_error(command, model_folder, tmp_path) -> None:
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


def test_the_module_and_the_script_are_the_same_program(script) -> None:
    by_script = subprocess.run([script, "--version"], capture_output=True, check=True)
    by_module = subprocess.run(
        [sys.executable, "-m", "nmt_lstm", "--version"], capture_output=True, check=True
    )
    assert by_script.stdout == by_module.stdout
