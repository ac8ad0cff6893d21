"""Notes, results and the log: their streams, and text that cannot control the terminal."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from nmt_lstm.cli.messages import note, quoted, say, show_log

ESCAPE = "a\x1b[2Jb"


def test_notes_go_to_stderr_and_results_to_stdout(capsys):
    note(f"note {ESCAPE}")
    say(f"result {ESCAPE}")
    output = capsys.readouterr()
    assert output.err == "note a\\x1b[2Jb\n"
    assert output.out == "result a\\x1b[2Jb\n"


def test_characters_that_the_terminal_lacks_are_escaped(monkeypatch):
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding="ascii"))
    say("é")
    sys.stdout.flush()
    assert terminal.getvalue() == b"\\xe9\n"


@pytest.mark.parametrize(("errors_only", "lines"), [(False, 3), (True, 1)])
def test_the_log_shows_levels_from_warning_on(capsys, errors_only, lines):
    show_log(errors_only=errors_only)
    logger = logging.getLogger("nmt_lstm.cli")
    logger.info("progress")
    logger.warning("careful")
    logger.error("broken")
    shown = capsys.readouterr().err.splitlines()
    expected = ["progress", "nmt-lstm: warning: careful", "nmt-lstm: error: broken"]
    assert shown == expected[-lines:]


def test_paths_are_written_as_in_a_shell():
    assert quoted(Path("a folder")) == "'a folder'"
