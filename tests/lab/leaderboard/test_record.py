"""Records: they are read as written, and any change of a line is detected."""

from __future__ import annotations

import json

import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.files.checksums import checksum_of
from nmt_lstm.lab.leaderboard import record
from nmt_lstm.lab.leaderboard.record import Withdrawal, check_system_name, make_facts, parse_record, to_line


@pytest.fixture
def row(board):
    return board.current()[0]


def test_a_record_is_read_as_written(row) -> None:
    assert parse_record(to_line(row), "here") == row
    withdrawn = Withdrawal(system="ü", test_set="x", added=record.now())
    assert parse_record(to_line(withdrawn), "here") == withdrawn
    assert "\n" not in to_line(row)
    assert json.loads(to_line(row))["format"] == 1


def test_a_tag_is_stored_only_if_there_is_one(row) -> None:
    assert "tag" not in json.loads(to_line(row))["facts"]
    tagged = row.model_copy(update={"facts": row.facts.model_copy(update={"tag": "<2de>"})})
    assert parse_record(to_line(tagged), "here") == tagged


def test_a_changed_value_is_detected(row) -> None:
    line = to_line(row).replace('"sentences": 40', '"sentences": 41')
    with pytest.raises(DataError, match="here was changed: its checksum"):
        parse_record(line, "here")


@pytest.mark.parametrize("line", ['{"format": 1', "[]", "3"])
def test_anything_but_an_object_is_damaged(line) -> None:
    with pytest.raises(DataError, match="here is damaged"):
        parse_record(line, "here")


def test_a_row_of_a_newer_version_says_so(row, monkeypatch) -> None:
    monkeypatch.setattr(record, "FORMAT", 2)
    line = to_line(row)
    monkeypatch.undo()
    with pytest.raises(DataError, match="here has format version 2"):
        parse_record(line, "here")


def test_a_digest_that_is_a_path_is_rejected(row) -> None:
    values = json.loads(to_line(row)) | {"hypotheses": "../../etc/passwd"}
    values.pop("sha256")
    values["sha256"] = checksum_of(values)
    with pytest.raises(DataError, match="here is damaged: hypotheses"):
        parse_record(json.dumps(values), "here")


@pytest.mark.parametrize("name", ["", "  ", " x", "a\nb", "a\tb", "x" * 121, "\x1b[31m"])
def test_invalid_names_are_rejected(name) -> None:
    with pytest.raises(ConfigurationError, match="not a valid system name") as caught:
        check_system_name(name)
    assert caught.value.value == name


@pytest.mark.parametrize("name", ["a", "GRU 512 + IF", "模型", "<b>x</b>"])
def test_printable_names_are_valid(name) -> None:
    assert check_system_name(name) == name


def test_facts_may_be_strings() -> None:
    result = make_facts({"parameters": "60000000", "training_hours": "1.5", "note": " two \n lines "})
    assert (result.parameters, result.training_hours, result.note) == (60_000_000, 1.5, "two lines")
    assert result.seed is None


def test_wrong_facts_are_rejected() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'parameters'") as caught:
        make_facts({"parameter": 1})
    assert caught.value.value == "parameter"
    assert {"parameters", "toolkit"} <= set(caught.value.known)
    with pytest.raises(ConfigurationError, match="fact parameters = 'many'"):
        make_facts({"parameters": "many"})
    with pytest.raises(ConfigurationError, match="fact training_hours = 'nan'"):
        make_facts({"training_hours": "nan"})
