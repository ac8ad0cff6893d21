"""Records: they come back as they were, and any change of a line is found."""

from __future__ import annotations

import json

import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.files.checksums import checksum_of
from nmt_lstm.lab.leaderboard import record
from nmt_lstm.lab.leaderboard.record import Withdrawal, check_system_name, line_of, make_facts, record_of


@pytest.fixture
def row(board):
    return board.current()[0]


def test_a_record_comes_back_as_it_was(row) -> None:
    assert record_of(line_of(row), "here") == row
    gone = Withdrawal(system="ü", test_set="x", added=record.now())
    assert record_of(line_of(gone), "here") == gone
    assert "\n" not in line_of(row)
    assert json.loads(line_of(row))["format"] == 1


def test_a_changed_value_is_found(row) -> None:
    line = line_of(row).replace('"sentences": 40', '"sentences": 41')
    with pytest.raises(
        DataError, match="here was changed: its checksum does not fit; undo the change, or delete"
    ):
        record_of(line, "here")


@pytest.mark.parametrize("line", ['{"format": 1', "[]", "3"])
def test_what_is_no_record_is_damaged(line) -> None:
    with pytest.raises(DataError, match="here is damaged"):
        record_of(line, "here")


def test_a_row_of_a_newer_version_says_so(row, monkeypatch) -> None:
    monkeypatch.setattr(record, "FORMAT", 2)
    line = line_of(row)
    monkeypatch.undo()
    with pytest.raises(
        DataError, match="here has format version 2, and this nmt-lstm .* reads up to 1; install the newer"
    ):
        record_of(line, "here")


def test_a_digest_that_could_lead_elsewhere_is_refused(row) -> None:
    values = json.loads(line_of(row)) | {"hypotheses": "../../etc/passwd"}
    values.pop("sha256")
    values["sha256"] = checksum_of(values)
    with pytest.raises(DataError, match="here is damaged: hypotheses: String should match pattern"):
        record_of(json.dumps(values), "here")


@pytest.mark.parametrize("name", ["", "  ", " x", "a\nb", "a\tb", "x" * 121, "\x1b[31m"])
def test_names_are_one_printable_line(name) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a system; give one line of 1 to 120"):
        check_system_name(name)


@pytest.mark.parametrize("name", ["a", "GRU 512 + IF", "模型", "<b>x</b>"])
def test_other_names_are_free(name) -> None:
    assert check_system_name(name) == name


def test_facts_may_be_texts_of_a_command_line() -> None:
    found = make_facts({"parameters": "60000000", "training_hours": "1.5", "note": " two \n lines "})
    assert (found.parameters, found.training_hours, found.note) == (60_000_000, 1.5, "two lines")
    assert found.seed is None


def test_wrong_facts_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown fact 'parameter'. Did you mean 'parameters'?"):
        make_facts({"parameter": 1})
    with pytest.raises(ConfigurationError, match="fact parameters = 'many': input should be a valid integer"):
        make_facts({"parameters": "many"})
    with pytest.raises(
        ConfigurationError, match="fact training_hours = 'nan': input should be a finite number"
    ):
        make_facts({"training_hours": "nan"})
