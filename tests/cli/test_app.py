"""The program as a whole: help without heavy imports, errors of one line, exit statuses, tracebacks of bugs."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import pytest

import nmt_lstm

COMMANDS = [
    "quickstart", "prepare", "train", "translate", "export", "score", "evaluate", "compare", "probe", "inspect", "config", "models",
    "doctor", "leaderboard", "plugins",
]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_in_its_help(command, name):
    finished = command(name, "--help")
    assert finished.status == 0
    assert f"  nmt-lstm {name}" in finished.text.partition("Example")[2]
    assert finished.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_keeps_to_the_width_of_a_small_terminal(command, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, command(name, "--help").lines)) <= 80


def test_help_lists_every_command_on_one_whole_line(command):
    text = command("--help").text
    for name in COMMANDS:
        assert f"\n  {name} " in text
    assert "..." not in text.partition("Commands:")[2]


def test_no_arguments_show_the_help(command):
    assert b"nmt-lstm quickstart" in command().out


def test_version(command):
    assert command("--version").text == f"nmt-lstm {nmt_lstm.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["trian"], "See 'nmt-lstm --help'."),
        (["translate"], "'--model' / '-m'"),
        (["translate"], "See 'nmt-lstm translate --help'."),
        (["train", "--devices", "0"], "'--devices'"),
        (["translate", "--bean-size", "3"], "--beam-size"),
        (["translate", "-m", "x", "--format", "xml"], "'text', 'jsonl'"),
    ],
)
def test_usage_errors_are_one_line_and_status_2(command, arguments, message):
    finished = command(*arguments)
    assert finished.status == 2
    assert message in finished.error


def make_config_fail(monkeypatch, problem):
    def fail(*_):
        raise problem

    # 'nmt-lstm config' calls this function.
    monkeypatch.setattr("nmt_lstm.config.explain.template", fail)


def test_a_bug_keeps_its_traceback_and_asks_for_a_report(command, monkeypatch):
    make_config_fail(monkeypatch, KeyError("lost"))
    finished = command("config")
    assert finished.status == 1
    assert "Traceback" in finished.err
    assert "KeyError: 'lost'" in finished.err
    assert "report" in finished.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/x/last.ckpt"), "'runs/x/last.ckpt': No space left"),
        (PermissionError(errno.EACCES, "Permission denied", "a.de"), "'a.de': Permission denied."),
        (MemoryError(), "not enough memory on this machine"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), "not enough memory on the GPU"),
    ],
)  # fmt: skip
def test_a_failure_of_the_machine_is_one_line(command, monkeypatch, problem, message):
    make_config_fail(monkeypatch, problem)
    finished = command("config")
    assert finished.status == 1
    assert message in finished.error


def test_ctrl_c_is_one_line_and_status_130(command, monkeypatch):
    make_config_fail(monkeypatch, KeyboardInterrupt())
    finished = command("config")
    assert (finished.status, finished.err) == (130, "\nnmt-lstm: interrupted.\n")


def heavy_modules_after(statement: str) -> set[str]:
    """The heavy libraries that a fresh interpreter has loaded after running the command line."""
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
    assert heavy_modules_after("main(['--help'])") == set()
    # typer itself may use pydantic for the options of a command.
    assert heavy_modules_after("main(['train', '--help']); main(['--version'])") <= {"pydantic"}


def test_listing_plugins_loads_no_torch():
    assert "torch" not in heavy_modules_after("main(['plugins'])")


def test_the_checks_above_can_fail():
    assert {"pydantic", "nmt_lstm.config.schema"} <= heavy_modules_after("main(['config'])")
    assert "torch" in heavy_modules_after("import types; sys.modules['torch'] = types.ModuleType('torch')")
