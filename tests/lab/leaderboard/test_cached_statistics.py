"""Cached statistics: read as written, and never used when damaged."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.lab.leaderboard.cached_statistics import CachedStatistics


@pytest.fixture
def cache(tmp_path) -> CachedStatistics:
    """An empty cache."""
    return CachedStatistics(tmp_path / "statistics")


def test_statistics_are_read_as_written_or_missing(cache, tmp_path) -> None:
    assert cache.statistics("key") == {}
    cache.put_statistics("key", {"chrf++": np.ones((2, 3))})
    assert list(cache.statistics("key")) == ["chrf++"]
    assert np.array_equal(cache.statistics("key")["chrf++"], np.ones((2, 3)))
    (tmp_path / "statistics" / "key.npz").write_bytes(b"PK\x03\x04 cut")
    assert cache.statistics("key") == {}
    np.savez(tmp_path / "statistics" / "key.npz", bleu=np.array([object()]))  # pickled data is never loaded
    assert cache.statistics("key") == {}


def test_counts_are_read_as_written_or_missing(cache, tmp_path) -> None:
    assert cache.counts("key") is None
    cache.put_counts("key", {"ü": 3})
    assert cache.counts("key") == {"ü": 3}
    for damaged in ("{", "[1]", '{"a": "b"}'):
        (tmp_path / "statistics" / "key.json").write_text(damaged)
        assert cache.counts("key") is None


def test_statistics_that_cannot_be_cached_are_skipped(cache, tmp_path) -> None:
    (tmp_path / "statistics").write_text("a file in the way")
    cache.put_statistics("key", {"bleu": np.ones((1, 1))})
    cache.put_counts("key", {"a": 1})
    assert cache.statistics("key") == {}
    assert cache.counts("key") is None


def test_damaged_statistics_are_detected_and_named(cache, tmp_path, caplog) -> None:
    cache.put_statistics("key", {"bleu": np.arange(12.0).reshape(3, 4)})
    path = tmp_path / "statistics" / "key.npz"
    content = path.read_bytes()
    for bit in range(0, 8 * content.rindex(b"sha256:"), 17):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        assert cache.statistics("key") == {}
    assert str(path) in caplog.text
    (problem,) = cache.problems()
    assert "key.npz" in problem
    np.savez_compressed(path, bleu=np.arange(12.0))  # earlier versions wrote no checksums
    old = path.read_bytes()
    for bit in range(0, 8 * len(old), 29):
        changed = bytearray(old)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        cache.statistics("key")  # returns something or nothing, but never raises


def test_changed_counts_are_not_used(cache, tmp_path) -> None:
    cache.put_counts("key", {"a": 3})
    path = tmp_path / "statistics" / "key.json"
    path.write_text(path.read_text().replace("3", "4", 1))
    assert cache.counts("key") is None
    path.write_text('{"a": 3}')  # written by an earlier version
    assert cache.counts("key") == {"a": 3}
