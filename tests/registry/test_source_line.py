"""The innermost line of a plugin in a traceback is found, also behind an exception that was raised from another."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from nmt_lstm.registry.source_line import own_line

PLUGIN = """
def outer(call):
    return inner(call)

def inner(call):
    return  call()
"""


def fail() -> None:
    """Raise an exception outside the plugin."""
    raise ValueError("outside")


def fail_from_cause(call) -> None:
    """Call the plugin and raise a different exception from its own."""
    try:
        call(fail)
    except ValueError as error:
        raise RuntimeError("converted") from error


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a plugin."""
    path = tmp_path / "plugin.py"
    path.write_text(PLUGIN)
    return path


def test_the_innermost_line_of_the_file_is_found(file) -> None:
    with pytest.raises(ValueError, match="outside") as caught:
        runpy.run_path(str(file))["outer"](fail)
    line = own_line(caught.value, file)
    assert (line.file, line.number, line.text) == (file, 6, "return call()")
    assert line.location == "line 6"


def test_a_file_of_a_folder_is_named(file, tmp_path) -> None:
    with pytest.raises(ValueError, match="outside") as caught:
        runpy.run_path(str(file))["outer"](fail)
    assert own_line(caught.value, tmp_path).location == "'plugin.py', line 6"


def test_the_cause_of_an_exception_is_searched(file) -> None:
    with pytest.raises(RuntimeError) as caught:
        fail_from_cause(runpy.run_path(str(file))["outer"])
    assert own_line(caught.value, file).number == 6


def test_an_exception_outside_the_plugin_has_no_line(file) -> None:
    with pytest.raises(ValueError, match="outside") as caught:
        fail()
    assert own_line(caught.value, file) is None
