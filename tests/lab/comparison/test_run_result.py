"""Results on disk: read as written, and any damage is detected."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.lab.comparison.folder import write_result
from nmt_lstm.lab.comparison.run_result import RunResult, read_result


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a result."""
    return tmp_path / "result.json"


def test_a_missing_result_is_none(path) -> None:
    assert read_result(RunResult, path) is None


def test_a_damaged_result_is_named(path) -> None:
    path.write_text('{"training": 3}')
    with pytest.raises(DataError, match="is damaged") as caught:
        read_result(RunResult, path)
    assert caught.value.path == path


def test_results_without_checksum_are_accepted(path, make_result) -> None:
    path.write_text(make_result().model_dump_json(exclude={"translations_sha256"}))
    assert read_result(RunResult, path) == make_result()


def test_every_flipped_bit_of_a_result_is_detected_or_harmless(path, make_result) -> None:
    write_result(path, make_result())
    content = path.read_bytes()
    for index in range(len(content)):
        path.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
        try:
            assert read_result(RunResult, path) == make_result()
        except DataError as problem:
            assert problem.path == path  # noqa: PT017


def test_the_translation_speed_of_no_time_is_zero(make_result) -> None:
    assert make_result(translate_seconds=2.0).sentences_per_second == 40
    assert make_result(translate_seconds=0.0).sentences_per_second == 0
