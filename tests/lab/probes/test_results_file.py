"""The results file: appended, resumed after a kill, and refused when it is not ours."""

from __future__ import annotations

import errno
import json
import os

import pytest

from nmt_lstm.errors import ConfigurationError, DataError, ResourceError
from nmt_lstm.lab.probes.results_file import ResultsFile


def test_what_is_appended_is_read_back(tmp_path, make_run, make_record) -> None:
    results = ResultsFile(tmp_path / "new" / "probes")
    assert results.read() == []
    records = [
        make_record(make_run(seed=seed), loss=loss) for seed, loss in ((1, 0.25), (2, None), (3, 0.125))
    ]
    for record in records:
        results.append(record)
    assert ResultsFile(tmp_path / "new" / "probes").read() == records
    lines = results.path.read_text().splitlines()
    assert [json.loads(line)["format_version"] for line in lines] == [1, 1, 1]


def test_numbers_that_json_has_not_are_null(tmp_path, make_record) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_record(loss=float("nan")))
    results.append(make_record(loss=0.123456789))
    first, second = (json.loads(line) for line in results.path.read_text().splitlines())
    assert first["attempts"][0]["curve"][-1] == [6, None]
    assert second["attempts"][0]["curve"][-1] == [6, 0.12346]


def test_a_half_written_line_is_dropped_by_the_next(tmp_path, make_run, make_record) -> None:
    results = ResultsFile(tmp_path)
    kept, lost, new = (make_record(make_run(seed=seed)) for seed in (1, 2, 3))
    results.append(kept)
    with results.path.open("ab") as file:
        file.write(lost.model_dump_json().encode()[:-20])
    assert results.read() == [kept]
    results.append(new)
    assert results.read() == [kept, new]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigurationError, match=r"not hold probes \(thesis.tex\)"):
        ResultsFile(tmp_path)
    with pytest.raises(ConfigurationError, match="thesis.tex' is a file"):
        ResultsFile(tmp_path / "thesis.tex")
    with pytest.raises(ResourceError, match=r"cannot make the folder .*\(Not a directory\)"):
        ResultsFile(tmp_path / "thesis.tex" / "probes")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"format": "nmt-lstm probe", "format_version": 2}',
         r"results.jsonl', line 2, was written by a newer nmt-lstm \(format 2, this one reads up to 1\); upgrade"),
        ("[1, 2]", r"line 2, is no result of a probe; choose another folder"),
        ('{"model": "x"}', r"line 2, is no result of a probe"),
        ('{"format": "nmt-', r"line 2, is damaged \(Unterminated string.*; remove the line, and the same command does"),
        ('{"format": "nmt-lstm probe", "format_version": 1}', r"line 2, is damaged \(run: Field required\)"),
        ("\\xff", r"line 2, is damaged"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_read(tmp_path, make_record, line, message) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_record())
    with results.path.open("ab") as file:
        file.write(line.encode() + b"\n")
    with pytest.raises(DataError, match=message) as refused:
        results.read()
    assert "\n" not in str(refused.value)


def test_every_flipped_bit_of_a_result_is_seen_or_harmless(tmp_path, make_record) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_record())
    content = results.path.read_bytes()
    for place in range(len(content) - 1):
        results.path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            assert results.read() == [make_record()]
        except DataError as problem:
            assert "results.jsonl', line 1" in str(problem)  # noqa: PT017


def test_results_of_earlier_versions_have_no_checksum(tmp_path, make_record) -> None:
    results = ResultsFile(tmp_path)
    results.path.write_text(make_record().model_dump_json() + "\n")
    assert results.read() == [make_record()]


def test_two_probes_do_not_write_into_one_folder(tmp_path) -> None:
    results = ResultsFile(tmp_path)
    with (
        results.alone(),
        pytest.raises(ResourceError, match="another nmt-lstm probe"),
        ResultsFile(tmp_path).alone(),
    ):
        raise AssertionError
    with results.alone():
        pass


def test_a_full_disk_takes_nothing_away(tmp_path, make_run, make_record, monkeypatch) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_record())

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        ResourceError, match=r"cannot be written \(No space left on device\); the results before"
    ):
        results.append(make_record(make_run(seed=2)))
    assert results.read() == [make_record()]
