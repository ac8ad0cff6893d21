"""The log of a run: one file across resumes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nmt_lstm.training.csv_log import CsvLog, log_digests, log_file, logs_of, read_log, start_log


def log_rows(output: Path) -> list[tuple[str, str, str]]:
    return [(row["step"], row["train_loss"], row["valid_bleu"]) for row in read_log(output)]


@pytest.fixture
def twenty_steps(tmp_path: Path) -> Path:
    start_log(tmp_path, 0)
    log = CsvLog(tmp_path)
    for step in (5, 10, 15, 20):
        log.log_metrics({"train_loss": torch.tensor(0.5), "learning_rate": 0.001}, step)
    log.log_metrics({"valid_bleu": 3.5}, 20)
    return tmp_path


def test_a_row_is_on_disk_when_it_is_logged(twenty_steps: Path) -> None:
    assert log_rows(twenty_steps) == [
        ("5", "0.5", ""),
        ("10", "0.5", ""),
        ("15", "0.5", ""),
        ("20", "0.5", ""),
        ("20", "", "3.5"),
    ]


def test_a_resumed_run_continues_after_its_checkpoint(twenty_steps: Path) -> None:
    start_log(twenty_steps, 10)
    CsvLog(twenty_steps).log_metrics({"train_loss": 0.25}, 15)
    assert log_rows(twenty_steps) == [("5", "0.5", ""), ("10", "0.5", ""), ("15", "0.25", "")]
    assert log_file(twenty_steps).read_text().count("train_loss") == 1
    assert [file.name for file in log_file(twenty_steps).parent.iterdir()] == ["metrics.csv"]


def test_a_run_from_the_beginning_starts_an_empty_log(twenty_steps: Path) -> None:
    start_log(twenty_steps, 0)
    assert log_rows(twenty_steps) == []


def test_an_incomplete_row_left_by_a_kill_is_skipped(twenty_steps: Path) -> None:
    path = log_file(twenty_steps)
    path.write_text(path.read_text()[:-4])
    assert [row["step"] for row in read_log(twenty_steps)] == ["5", "10", "15", "20"]
    start_log(twenty_steps, 20)
    CsvLog(twenty_steps).log_metrics({"train_loss": 0.25}, 25)
    assert log_rows(twenty_steps)[-2:] == [("20", "0.5", ""), ("25", "0.25", "")]


def test_a_missing_log_has_no_rows(tmp_path: Path) -> None:
    assert list(read_log(tmp_path)) == []


@pytest.mark.parametrize(
    ("rows", "saved", "remains"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_logs_that_say_nothing_are_removed_after_a_failure(tmp_path: Path, rows, saved, remains) -> None:
    def fails() -> None:
        with logs_of(tmp_path):
            start_log(tmp_path, 0)
            if rows:
                CsvLog(tmp_path).log_metrics({"train_loss": 0.25}, 15)
            if saved:
                (tmp_path / "checkpoints").mkdir()
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fails()
    assert log_file(tmp_path).exists() is remains


def test_logs_of_an_earlier_run_stay_after_a_failure(tmp_path: Path) -> None:
    start_log(tmp_path, 0)
    with pytest.raises(ValueError, match="failed"), logs_of(tmp_path):
        raise ValueError("failed")
    assert log_file(tmp_path).exists()


def test_a_log_that_was_changed_is_named_and_kept(twenty_steps: Path, caplog) -> None:
    digests = log_digests(twenty_steps)
    CsvLog(twenty_steps).log_metrics({"train_loss": 0.25}, 25)
    start_log(twenty_steps, 20, digests=digests)  # it only grew
    assert not caplog.records
    path = log_file(twenty_steps)
    changed = path.read_bytes().replace(b"0.5", b"\xff.5", 1).replace(b"\n10,", b"\n1x,")
    path.write_bytes(changed)
    start_log(twenty_steps, 20, digests=digests)
    assert str(path) in caplog.text
    assert path.with_name("changed-metrics.csv").read_bytes() == changed
    assert [row["step"] for row in read_log(twenty_steps)] == ["5", "15", "20", "20"]
