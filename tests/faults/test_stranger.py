"""A model folder, a text or a board from a stranger: what SECURITY.md promises about them.

Each test runs the commands that a user would, in a folder where a module, a plugin file and a pickle leave a mark when
their code runs.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmt_lstm.files.checksums import checked_json, parse_checked

# Each starts a program; `tox -e faults` runs them.
pytestmark = [pytest.mark.long, pytest.mark.spread]

MARK = "it-ran"
LEAVE_MARK = f'open({MARK!r}, "w").close()\n'
CELL = """
import torch
from nmt_lstm import CELLS, GatedCell


@CELLS.register("theirs")
class Theirs(GatedCell):
    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)
"""
COMMANDS = {
    "translate": ("translate", "-m", "model", "-i", "in.txt"),
    "score": ("score", "-m", "model", "-s", "in.txt", "-t", "in.txt"),
    "evaluate": ("evaluate", "-m", "model", "-s", "in.txt", "-r", "in.txt"),
    "inspect": ("inspect", "-m", "model", "eins", "-o", "page.html"),
    "export": ("export", "-m", "model", "-o", "exported"),
    "plugins": ("plugins", "show", "lstm"),
}


@pytest.fixture
def stranger(random_model_folder, tmp_path) -> Path:
    """A folder to work in, with a model, a text, and a module that leaves a mark when it is imported."""
    shutil.copytree(random_model_folder, tmp_path / "model")
    (tmp_path / "in.txt").write_text("eins zwei .\ndrei .\n")
    (tmp_path / "their_module.py").write_text(LEAVE_MARK + CELL)
    return tmp_path


@pytest.fixture
def run(stranger):
    """Run ``nmt-lstm`` in that folder, which is on Python's path, with at most 8 GiB of memory."""

    def command(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
        start = code + "import sys; from nmt_lstm.cli.app import main; sys.exit(main(sys.argv[1:]))"
        return subprocess.run(
            [sys.executable, "-c", start, *arguments],
            cwd=stranger,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(stranger), os.environ.get("PYTHONPATH", ""))),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30)),
        )

    return command


def replace(folder: Path, name: str, content: bytes, **manifest: object) -> None:
    """Replace a file of a model folder, and make the checksums right again, as an attacker would."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    values = parse_checked((folder / "manifest.json").read_bytes())
    values.pop("sha256", None)
    values["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(checked_json({**values, **manifest}))


def change_run(folder: Path, old: str, new: str) -> None:
    text = (folder / "run.toml").read_text()
    assert old in text
    replace(folder, "run.toml", text.replace(old, new).encode())


def refusal(finished: subprocess.CompletedProcess[str]) -> str:
    """Return the message of a command that refused its input with one line and no traceback."""
    assert finished.returncode in (1, 2), finished.stderr
    (line,) = finished.stderr.splitlines()
    assert line.startswith("nmt-lstm: error: ")
    return line


class Exploit:
    def __reduce__(self):
        return exec, (LEAVE_MARK,)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_runs_code_of_a_model_folder(stranger, run, name):
    model = stranger / "model"
    replace(model, "plugin.theirs.py", (LEAVE_MARK + CELL).encode())
    for pickled in ("pytorch_model.bin", "checkpoints/last.ckpt"):
        (model / pickled).parent.mkdir(exist_ok=True)
        (model / pickled).write_bytes(pickle.dumps(Exploit()))
    run(*COMMANDS[name])
    assert not (stranger / MARK).exists()


def test_a_class_named_in_the_settings_is_not_imported(stranger, run):
    model = stranger / "model"
    record = {
        "name": "their_module:Theirs",
        "target": "their_module:Theirs",
        "distribution": "",
        "version": "",
    }
    change_run(model, 'cell = "lstm"', 'cell = "their_module:Theirs"')
    values = parse_checked((model / "manifest.json").read_bytes())
    values.pop("sha256", None)
    for cells in ([record], []):  # listed in the manifest or not
        values["plugins"]["cells"] = cells
        (model / "manifest.json").write_text(checked_json(values))
        assert "their_module" in refusal(run("translate", "-m", "model", "-i", "in.txt"))
        assert not (stranger / MARK).exists()


def test_trust_runs_the_code_so_the_tests_above_can_fail(stranger, run):
    change_run(stranger / "model", 'cell = "lstm"', 'cell = "their_module:Theirs"')
    run("translate", "-m", "model", "-i", "in.txt", "--trust-plugins")
    assert (stranger / MARK).exists()


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "a/../../outside.txt"])
def test_no_file_outside_the_folder_is_read(stranger, run, name):
    outside = stranger / "outside.txt"
    outside.write_text("secret")
    model = stranger / "model"
    values = parse_checked((model / "manifest.json").read_bytes())
    values.pop("sha256", None)
    values["files"][name] = {"bytes": 6, "sha256": hashlib.sha256(b"secret").hexdigest()}
    (model / "manifest.json").write_text(checked_json(values))
    message = refusal(run("translate", "-m", "model", "-i", "in.txt"))
    assert "outside the folder" in message


@pytest.mark.parametrize(
    "name", ["run.toml", "metrics.json", "model.safetensors", "subwords.joint.model", "manifest.json"]
)
def test_a_link_to_other_content_pipe_or_device_is_refused_without_waiting(stranger, run, name):
    path = stranger / "model" / name
    for make in (
        lambda: path.symlink_to("/etc/hostname"),
        lambda: path.symlink_to("/dev/zero"),
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
    ):
        path.rmdir() if path.is_dir() else path.unlink()
        make()
        start = time.monotonic()
        refusal(run("translate", "-m", "model", "-i", "in.txt"))
        assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hidden_size = 20", "hidden_size = 65536"),
        ("embedding_size = 12", "embedding_size = 65536"),
        ("layers = 1", "layers = 64"),
    ],
)
def test_memory_follows_the_size_of_the_files(stranger, run, old, new):
    change_run(stranger / "model", old, new)
    assert "model" in refusal(run("translate", "-m", "model", "-i", "in.txt"))


@pytest.mark.parametrize("name", ["run.toml", "metrics.json", "manifest.json"])
@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b"a." * 50_000 + b"a = 1", b"\xff\xfe\x00"]
)
def test_deeply_nested_or_broken_files_are_refused(stranger, run, name, content):
    if name == "manifest.json":
        (stranger / "model" / name).write_bytes(content)
    else:
        replace(stranger / "model", name, content)
    refusal(run("translate", "-m", "model", "-i", "in.txt"))


def test_names_and_texts_cannot_control_the_terminal(stranger, run):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"
    model = stranger / "model"
    record = {"name": evil, "target": f"{evil}:A", "distribution": evil, "version": evil}
    values = parse_checked((model / "manifest.json").read_bytes())
    values.pop("sha256", None)
    values["plugins"]["cells"] = [record]
    (model / "manifest.json").write_text(checked_json(values))
    text = f"eins {evil} zwei\n"
    (stranger / "in.txt").write_text(text)
    for arguments in (
        ("translate", "-m", "model", "-i", "in.txt"),
        ("translate", "-m", evil, "-i", "in.txt"),
        ("translate", "-m", "model", "-i", evil),
        ("evaluate", "--hypotheses", "in.txt", "-r", "in.txt", "--analysis"),
        ("train", "-s", "in.txt", "-t", evil, "-o", "runs/x"),
        ("train", "--set", f"{evil}=1", "-s", "in.txt", "-t", "in.txt", "-o", "runs/x"),
        ("leaderboard", "show", evil),
    ):
        finished = run(*arguments)
        shown = finished.stderr + finished.stdout
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown), arguments


def test_the_page_of_inspect_contains_no_markup_of_the_text(stranger, run):
    text = "<script>alert(1)</script> <img src=x onerror=alert(2)> eins"
    assert run("inspect", "-m", "model", text, "-o", "page.html").returncode == 0
    page = (stranger / "page.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


BLOCK_NETWORK = """
import socket
def refuse(*arguments, **options):
    open("connected", "w").close()
    raise OSError("no network in this test")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = refuse
"""


@pytest.mark.parametrize("name", [*COMMANDS, "models", "doctor", "train"])
def test_no_command_uses_the_network(stranger, run, parallel_files, name):
    train = (
        "train",
        "-s",
        str(parallel_files.train_source),
        "-t",
        str(parallel_files.train_target),
        "-o",
        "runs/x",
    )
    settings = (
        "--set",
        "training.max_steps=2",
        "--set",
        "model.encoder.hidden_size=16",
        "--set",
        "model.decoder.hidden_size=16",
    )
    commands = {**COMMANDS, "models": ("models",), "doctor": ("doctor",), "train": (*train, *settings)}
    finished = run(*commands[name], code=BLOCK_NETWORK)
    assert finished.returncode == 0, finished.stderr
    assert not (stranger / "connected").exists()


def test_a_use_of_the_network_would_be_noticed(stranger, run):
    run(
        "models",
        code=BLOCK_NETWORK + "\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError: pass\n",
    )
    assert (stranger / "connected").exists()
