"""Options of ``translate`` for what is kept and for sentences."""

from __future__ import annotations

import json
import sys

import pytest

from nmt_lstm.cli.line_options import text_options
from nmt_lstm.errors import ConfigurationError, ResourceError


def options(**values):
    defaults = {"keep": "", "patterns": None, "keep_as": "", "split_sentences": False, "source_language": ""}
    return text_options(**{**defaults, **values})


def test_names_are_separated_by_commas() -> None:
    assert options(keep="urls, numbers,", patterns=["#x"]).keep == ("urls", "numbers")


def test_what_cannot_work_is_refused(monkeypatch) -> None:
    for wrong in ({"keep": "url"}, {"patterns": ["("]}, {"keep_as": "@"}, {"source_language": "de"}):
        with pytest.raises(ConfigurationError):
            options(**wrong)
    monkeypatch.setitem(sys.modules, "sentencex", None)
    with pytest.raises(ResourceError, match="sentences"):
        options(split_sentences=True)


def test_translate_keeps_what_it_is_told(command) -> None:
    pytest.importorskip("sentencex")
    finished = command(
        "translate", "-m", "builtin:en-ja", "--keep", "placeholders", "--keep-pattern", "#[0-9]+",
        "--split-sentences", "--format", "jsonl",
        stdin=b"The {name} is sleeping. She reads #42.\n\n",
    )  # fmt: skip
    assert (finished.status, finished.err) == (0, "")
    first, second = map(json.loads, finished.lines)
    assert [first["translation"].count(part) for part in ("{name}", "#42")] == [1, 1]
    assert (first["unmet"], second["translation"]) == ([], "")
