"""What a command says when memory ran out."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from nmt_lstm.cli.app import app
from nmt_lstm.cli.memory_message import memory_message
from nmt_lstm.numerics.out_of_memory import is_loading


@pytest.mark.parametrize(
    ("command", "named", "absent"),
    [
        ("translate", "--beam-size", "batch_pieces"),
        ("train", "training.batch_pieces", "--beam-size"),
        ("doctor", "close other programs", "--batch-size"),
        ("", "close other programs", "--batch-size"),
    ],
)
def test_only_what_the_command_has_is_named(command: str, named: str, absent: str) -> None:
    message = memory_message(MemoryError(), [command], app)
    assert named in message
    assert absent not in message


def test_an_error_of_an_import_is_about_loading() -> None:
    problem = ImportError("libtorch_cpu.so: failed to map segment from shared object")
    assert is_loading(problem)
    assert "load" in memory_message(problem, ["translate"], app)
    assert "--beam-size" not in memory_message(problem, ["translate"], app)


def test_an_allocation_in_the_code_of_a_module_is_about_loading() -> None:
    with pytest.raises(MemoryError) as error_info:
        exec(compile("bytearray(2**60)", "module", "exec"), {})
    assert is_loading(error_info.value)
    with pytest.raises(MemoryError) as error_info:
        bytearray(2**60)
    assert not is_loading(error_info.value)


def test_the_limit_of_the_process_is_named() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (300_000 << 10, 300_000 << 10))

    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux enforces this limit")
    command = [sys.executable, "-m", "nmt_lstm", "doctor"]
    result = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert result.returncode == 1
    assert "292 MiB" in result.stderr
    assert "ulimit -v" in result.stderr
    assert "Traceback" not in result.stderr
