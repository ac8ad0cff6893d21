"""Shared by the tests of faults: their modules can be imported, and what they counted is shown at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

COUNTED = "faults counted"


@pytest.fixture
def counted(request) -> Callable[[str], None]:
    """A function that adds a sentence to the summary, such as "50 of 50 kills ended bit-identical".

    The processes of pytest-xdist send the properties of a test to the first one, which writes the summary.
    """
    return lambda sentence: request.node.user_properties.append((COUNTED, sentence))


def pytest_terminal_summary(terminalreporter) -> None:
    """Write what all tests counted."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    sentences = [value for report in reports for name, value in report.user_properties if name == COUNTED]
    if sentences:
        terminalreporter.section("faults")
        for sentence in sorted(dict.fromkeys(sentences)):
            terminalreporter.write_line(sentence)
