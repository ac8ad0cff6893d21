"""A run of a comparison: a real training run of a few steps, its measurements, and its translation."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.config.load import dump_toml
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.comparison.folder import RunFiles, write_text
from nmt_lstm.lab.comparison.job import ComparisonJob, curve_points, peak_bytes, training_speed
from nmt_lstm.training.csv_log import read_log
from nmt_lstm.training.diagnosis import ValidationPoint


@pytest.fixture(scope="module")
def settings(tiny_run: RunSettings) -> RunSettings:
    """Settings for two epochs of a few steps."""
    training = tiny_run.training.model_copy(
        update={
            "epochs": 2,
            "batch_pieces": 2_000,
            "accelerator": "cpu",
            "precision": "float32",
            "tensorboard": False,
        }
    )
    search = tiny_run.search.model_copy(update={"beam_size": 1})
    return tiny_run.model_copy(update={"training": training, "search": search})


@pytest.fixture(scope="module")
def finished(
    settings: RunSettings, parallel_files: Any, tmp_path_factory: pytest.TempPathFactory
) -> RunFiles:
    """The files of a finished run."""
    folder = tmp_path_factory.mktemp("worker")
    files = RunFiles(folder / "model", folder / "records")
    write_text(files.settings, dump_toml(settings))
    messages: list[str] = []
    result = ComparisonJob("a", "a", files, parallel_files.valid_source).perform(messages.append)
    assert result == files.read_result()
    assert "trained in" in ComparisonJob("a", "a", files, parallel_files.valid_source).outcome(result)
    assert [line.split(" (")[0].split(" at ")[0] for line in messages] == ["validation", "validation"]
    return files


def test_a_run_stores_its_result(finished, settings, parallel_files) -> None:
    result = finished.read_result()
    assert result is not None
    training = result.training
    assert training == finished.read_training()
    assert training.steps == training.curve[-1].step > 0
    assert training.reason == "all 2 epochs are done"
    assert training.parameters > 10_000
    assert (training.device, training.device_bytes) == ("CPU", None)
    assert training.pieces_per_second > 0
    assert 100 * 2**20 < training.peak_bytes < 2**36
    assert (result.sentences, result.beam_size) == (40, 1)
    assert result.sentences_per_second > 0
    assert len(result.translations_sha256) == 64
    assert len(finished.read_translations(result)) == 40


def test_the_curve_has_every_validation_with_its_time(finished) -> None:
    curve = finished.read_training().curve
    assert len(curve) == 2
    assert 0 < curve[0].seconds < curve[1].seconds
    assert curve[0].step < curve[1].step
    assert curve[1].loss < curve[0].loss
    assert curve[-1].seconds <= finished.read_training().seconds
    logged = [row for row in read_log(finished.model) if row["valid_bleu"]]
    assert [(str(point.step), str(point.bleu)) for point in curve] == [
        (row["step"], row["valid_bleu"]) for row in logged
    ]


def test_finished_training_is_not_repeated(finished, parallel_files, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("nmt_lstm.lab.comparison.job.fit", fail)
    before = finished.translations.read_bytes()
    finished.result.unlink()
    ComparisonJob("a", "a", finished, parallel_files.valid_source).perform(fail)
    assert finished.translations.read_bytes() == before
    assert finished.read_result() is not None


def test_speed_is_a_median_and_points_without_scores_are_skipped() -> None:
    scored = [
        ValidationPoint(step, 4.0, 2.0, bleu=bleu, chrf=3.0, seconds=seconds, pieces_per_second=speed)
        for step, bleu, seconds, speed in ((10, 1, 5, 100), (20, 4, 12, 200), (30, 5, 20, 300))
    ]
    curve = [ValidationPoint.from_state([5, 3.0]), *scored]
    assert [(point.step, point.bleu, point.seconds) for point in curve_points(curve)] == [
        (10, 1, 5),
        (20, 4, 12),
        (30, 5, 20),
    ]
    assert training_speed(curve) == 200
    assert training_speed(curve[:1]) == 0.0


def test_peak_memory_is_in_bytes() -> None:
    before = peak_bytes()
    held = bytearray(64 * 2**20)
    held[::4096] = b"x" * len(held[::4096])
    assert peak_bytes() >= before
    assert peak_bytes() > 64 * 2**20


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda files: files.settings.write_text("[model]\nx = 1\n"), "model.x"),
        (lambda files: files.settings.unlink(), "run.toml"),
    ],
)
def test_damaged_or_missing_settings_are_rejected(settings, tmp_path, parallel_files, damage, word) -> None:
    files = RunFiles(tmp_path / "model", tmp_path / "records")
    write_text(files.settings, dump_toml(settings))
    damage(files)
    with pytest.raises(ConfigurationError, match=word):
        ComparisonJob("a", "a", files, parallel_files.valid_source).perform(print)
