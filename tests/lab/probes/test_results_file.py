"""The results file: appending, recovery after a kill, and rejection of foreign or damaged content."""

from __future__ import annotations

import errno
import json
import os

import pytest

from nmt_lstm.errors import ConfigurationError, DataError, ResourceError
from nmt_lstm.lab.probes.results_file import ResultsFile


def test_results_are_read_as_written(tmp_path, make_run, make_result) -> None:
    results = ResultsFile(tmp_path / "new" / "probes")
    assert results.read() == []
    expected = [
        make_result(make_run(seed=seed), loss=loss) for seed, loss in ((1, 0.25), (2, None), (3, 0.125))
    ]
    for result in expected:
        results.append(result)
    assert ResultsFile(tmp_path / "new" / "probes").read() == expected
    lines = results.path.read_text().splitlines()
    assert [json.loads(line)["format_version"] for line in lines] == [1, 1, 1]


def test_numbers_that_json_lacks_are_null(tmp_path, make_result) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_result(loss=float("nan")))
    results.append(make_result(loss=0.123456789))
    first, second = (json.loads(line) for line in results.path.read_text().splitlines())
    assert first["attempts"][0]["curve"][-1] == [6, None]
    assert second["attempts"][0]["curve"][-1] == [6, 0.12346]


def test_a_partial_line_is_removed_by_the_next_append(tmp_path, make_run, make_result) -> None:
    results = ResultsFile(tmp_path)
    first, partial, new = (make_result(make_run(seed=seed)) for seed in (1, 2, 3))
    results.append(first)
    with results.path.open("ab") as file:
        file.write(partial.model_dump_json().encode()[:-20])
    assert results.read() == [first]
    results.append(new)
    assert results.read() == [first, new]


def test_folders_of_other_programs_are_rejected(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigurationError, match=r"not contain probes \(thesis.tex\)"):
        ResultsFile(tmp_path)
    with pytest.raises(ConfigurationError, match="thesis.tex' is a file"):
        ResultsFile(tmp_path / "thesis.tex")
    with pytest.raises(ResourceError, match="Not a directory"):
        ResultsFile(tmp_path / "thesis.tex" / "probes")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"format": "nmt-lstm probe", "format_version": 2}',
         r"line 2, was written by a newer"),
        ("[1, 2]", r"line 2, is not the result"),
        ('{"model": "x"}', r"line 2, is not the result"),
        ('{"format": "nmt-', r"line 2, is damaged \(Unterminated"),
        ('{"format": "nmt-lstm probe", "format_version": 1}', r"line 2, is damaged \(run: Field required\)"),
        ("\\xff", r"line 2, is damaged"),
    ],
)  # fmt: skip
def test_damaged_and_foreign_lines_are_rejected(tmp_path, make_result, line, message) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_result())
    with results.path.open("ab") as file:
        file.write(line.encode() + b"\n")
    with pytest.raises(DataError, match=message) as caught:
        results.read()
    assert "\n" not in str(caught.value)


def test_every_flipped_bit_is_detected_or_harmless(tmp_path, make_result) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_result())
    content = results.path.read_bytes()
    for index in range(len(content) - 1):
        results.path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
        try:
            assert results.read() == [make_result()]
        except DataError as problem:
            assert "results.jsonl', line 1" in str(problem)  # noqa: PT017


def test_results_without_checksum_are_accepted(tmp_path, make_result) -> None:
    results = ResultsFile(tmp_path)
    results.path.write_text(make_result().model_dump_json() + "\n")
    assert results.read() == [make_result()]


def test_a_folder_in_use_is_rejected(tmp_path) -> None:
    results = ResultsFile(tmp_path)
    with (
        results.alone(),
        pytest.raises(ResourceError, match="another nmt-lstm probe"),
        ResultsFile(tmp_path).alone(),
    ):
        raise AssertionError
    with results.alone():
        pass


def test_a_full_disk_keeps_earlier_results(tmp_path, make_run, make_result, monkeypatch) -> None:
    results = ResultsFile(tmp_path)
    results.append(make_result())

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="No space left on device"):
        results.append(make_result(make_run(seed=2)))
    assert results.read() == [make_result()]
