"""The front door: help that is quick, errors of one line, exit statuses, and mistakes of ours that stay visible."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import pytest

import nmt_lstm

COMMANDS = [
    "quickstart", "prepare", "train", "translate", "score", "evaluate", "compare", "probe", "leaderboard", "plugins", "config", "models", "doctor",
]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_in_its_help(command, name):
    finished = command(name, "--help")
    assert finished.status == 0
    assert f"  nmt-lstm {name}" in finished.out.decode().partition("Example")[2]
    assert finished.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_keeps_to_the_width_of_a_small_terminal(command, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, command(name, "--help").lines)) <= 80


def test_help_lists_every_command_on_one_whole_line(command):
    text = command("--help").out.decode()
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.partition("Commands:")[2]


def test_without_arguments_it_helps(command):
    assert b"nmt-lstm quickstart" in command().out


def test_version(command):
    assert command("--version").out.decode() == f"nmt-lstm {nmt_lstm.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["trian"],
            "nmt-lstm: error: No such command 'trian'. Did you mean 'train'? See 'nmt-lstm --help'.\n",
        ),
        (
            ["translate"],
            "nmt-lstm: error: Missing option '--model' / '-m'. See 'nmt-lstm translate --help'.\n",
        ),
        (["train", "--devices", "0"], "'--devices'"),
        (["translate", "--bean-size", "3"], "--beam-size"),
        (["translate", "-m", "x", "--format", "xml"], "'text', 'jsonl'"),
    ],
)
def test_usage_errors_are_one_line_and_status_2(command, arguments, message):
    finished = command(*arguments)
    assert finished.status == 2
    assert message in finished.err
    assert finished.err.startswith("nmt-lstm: error: ")
    assert len(finished.err.splitlines()) == 1


def failing(monkeypatch, problem):
    def fail(*_):
        raise problem

    # The simplest command reads its settings through this name.
    monkeypatch.setattr("nmt_lstm.config.explain.template", fail)


def test_a_mistake_of_ours_keeps_its_traceback_and_asks_for_a_report(command, monkeypatch):
    failing(monkeypatch, KeyError("lost"))
    finished = command("config")
    assert finished.status == 1
    assert "Traceback" in finished.err
    assert "KeyError: 'lost'" in finished.err
    assert finished.err.endswith("this is a mistake in nmt-lstm; please report it with the lines above.\n")


@pytest.mark.parametrize(
    ("problem", "status", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/x/last.ckpt"), 1,
         "nmt-lstm: error: 'runs/x/last.ckpt': No space left on device; free some space, nothing saved before was lost.\n"),
        (PermissionError(errno.EACCES, "Permission denied", "a.de"), 1, "nmt-lstm: error: 'a.de': Permission denied.\n"),
        (MemoryError(), 1, "nmt-lstm: error: not enough memory; lower --batch-size or --beam-size, or training.batch"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), 1, "nmt-lstm: error: the GPU has not enough memory; lower"),
        (KeyboardInterrupt(), 130, "\nnmt-lstm: interrupted.\n"),
    ],
)  # fmt: skip
def test_failures_of_the_machine_are_one_line(command, monkeypatch, problem, status, message):
    failing(monkeypatch, problem)
    finished = command("config")
    assert finished.status == status
    assert finished.err.startswith(message)
    assert "Traceback" not in finished.err


def loaded_after(statement: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has loaded after the command line ran."""
    names = (
        "torch",
        "pydantic",
        "nmt_lstm.config.schema",
        "numpy",
        "sacrebleu",
        "sentencepiece",
        "pytorch_lightning",
        "rich.console",
    )
    script = (
        f"import json, sys\nfrom nmt_lstm.cli.app import main\n{statement}\n"
        f"sys.stderr.write(json.dumps(sorted(set({names!r}) & set(sys.modules))))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(finished.stderr))


def test_help_loads_nothing_heavy():
    assert loaded_after("main(['--help'])") == set()
    # typer itself may use pydantic for the options of a command.
    assert loaded_after("main(['train', '--help']); main(['--version'])") <= {"pydantic"}


def test_listing_plugins_loads_no_torch():
    assert "torch" not in loaded_after("main(['plugins'])")


def test_the_checks_above_can_fail():
    assert {"pydantic", "nmt_lstm.config.schema"} <= loaded_after("main(['config'])")
    assert "torch" in loaded_after("import types; sys.modules['torch'] = types.ModuleType('torch')")


def test_config_prints_a_run_file_that_loads(command, tmp_path):
    (tmp_path / "run.toml").write_bytes(command("config", "--set", "training.epochs=3").out)
    finished = command("config", "run.toml", "--explain", "--set", "model.encoder.cell=gru")
    text = finished.out.decode()
    assert "\nepochs = 3\n" in text
    assert 'cell = "gru"' in text
    assert f'train_source = "{tmp_path}/train.de"' in text
    assert "# Passes over the training text, at most." in text


def test_config_refuses_a_bad_run_file_naming_every_problem(command, tmp_path):
    (tmp_path / "run.toml").write_text("[model]\ndropout = 2.0\nlayers = 3\n")
    finished = command("config", "run.toml")
    assert finished.status == 2
    assert finished.err.startswith("nmt-lstm: error: run.toml: 4 problems:\n")
    assert (
        "unknown key 'model.layers'. Did you mean 'model.encoder.layers' or 'model.decoder.layers'?"
        in finished.err
    )
