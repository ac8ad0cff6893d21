"""Preparation of a series: nothing of the validation part is learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.series.prepared import PreparedSeries, prepare_series
from nmt_lstm.series.scale import FILE, load_scale


def prepared(folder: Path, rows: list[tuple[float, float]], **series: object) -> PreparedSeries:
    lines = ["a,b", *(f"{first},{second}" for first, second in rows)]
    (folder / "series.csv").write_text("\n".join(lines), encoding="utf-8")
    values = {
        "task": "forecast",
        "data": {"train_source": str(folder / "series.csv")},
        "series": {"window": 4, "horizon": 2, "targets": ["b"], **series},
    }
    return prepare_series(make_run(values))


ROWS = [(float(number), float(number * number % 7)) for number in range(50)]


def test_the_validation_part_changes_nothing_that_is_learnt(tmp_path: Path) -> None:
    one = prepared(tmp_path, ROWS)
    other = prepared(tmp_path, [*ROWS[:40], *((9e5, -3.0) for _ in range(10))])
    np.testing.assert_array_equal(one.subwords.mean, other.subwords.mean)
    np.testing.assert_array_equal(one.subwords.deviation, other.subwords.deviation)
    assert len(one.store) == len(other.store) == 40 - 6 + 1
    every = np.arange(len(one.store))
    np.testing.assert_array_equal(one.store.inputs(every), other.store.inputs(every))
    np.testing.assert_array_equal(one.store.outputs(every), other.store.outputs(every))
    assert one.fingerprint != other.fingerprint


def test_windows_are_the_rows_and_the_changes_after_them(tmp_path: Path) -> None:
    series = prepared(tmp_path, ROWS)
    scaled = series.subwords.standardised(np.array(ROWS))
    np.testing.assert_array_equal(series.store.inputs(np.array([3]))[0], scaled[3:7])
    np.testing.assert_array_equal(series.store.outputs(np.array([3]))[0], scaled[7:9, 1:] - scaled[6:7, 1:])
    # The first forecast that validates is that of the first row after the training part, the last one that of the end.
    np.testing.assert_array_equal(series.valid.inputs(np.array([0]))[0], scaled[36:40])
    last = np.array([len(series.valid) - 1])
    np.testing.assert_array_equal(series.valid.outputs(last)[0], scaled[48:, 1:] - scaled[47:48, 1:])
    restored = series.subwords.restored(scaled[:, 1:].astype(np.float64))
    np.testing.assert_allclose(restored, np.array(ROWS)[:, 1:], atol=1e-5)


def test_a_column_that_never_changes_is_scaled_by_one(tmp_path: Path) -> None:
    series = prepared(tmp_path, [(0.1, number % 3) for number in range(50)])
    assert series.subwords.deviation[0] == 1.0


@pytest.mark.parametrize("change", [{"horizon": 40}, {"window": 39}])
def test_too_few_rows_are_refused(tmp_path: Path, change: dict[str, int]) -> None:
    with pytest.raises(DataError, match="too few rows"):
        prepared(tmp_path, ROWS, **change)


@pytest.mark.parametrize("series", [{"columns": ["a", "a"]}, {"columns": ["a"]}])
def test_names_of_columns_are_checked(tmp_path: Path, series: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"series\."):
        prepared(tmp_path, ROWS, **series)


def test_the_scale_is_read_back_and_checked(tmp_path: Path) -> None:
    scale = prepared(tmp_path, ROWS).subwords
    scale.save(tmp_path)
    read = load_scale(tmp_path, None)
    assert (read.columns, read.targets, read.window, read.horizon) == (("a", "b"), ("b",), 4, 2)
    np.testing.assert_array_equal(read.mean, scale.mean)
    (tmp_path / FILE).write_text((tmp_path / FILE).read_text().replace('"horizon": 2', '"horizon": 3'))
    with pytest.raises(DataError, match="damaged"):
        load_scale(tmp_path, None)
