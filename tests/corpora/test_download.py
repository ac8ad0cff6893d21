"""Downloads are complete and correct or fail, and interrupted ones are resumed."""

from __future__ import annotations

import hashlib
import random
import socket

import pytest

from nmt_lstm.corpora import download
from nmt_lstm.corpora.download import fetch
from nmt_lstm.errors import DataError, ResourceError

CONTENT = random.Random(1).randbytes(600_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def corpus_on_site(site):
    """Put the file on the server."""
    site.files["corpus.gz"] = CONTENT


def download_corpus(site, folder, sha256=SHA256, **options) -> bytes:
    """Download the file; return its content, and check that nothing else is left beside it."""
    path = folder / "downloads" / "corpus.gz"
    fetch(site.url("corpus.gz"), path, sha256, wait_seconds=0, **options)
    assert sorted(file.name for file in path.parent.iterdir()) == ["corpus.gz"]
    return path.read_bytes()


def test_a_file_is_downloaded_into_a_new_folder(site, tmp_path) -> None:
    assert download_corpus(site, tmp_path) == CONTENT
    assert site.requests == [("corpus.gz", "")]


def test_an_empty_file_is_downloaded(site, tmp_path) -> None:
    site.files["corpus.gz"] = b""
    assert download_corpus(site, tmp_path, hashlib.sha256(b"").hexdigest()) == b""


@pytest.mark.parametrize("sha256", [SHA256, SHA256.upper(), None])
def test_a_correct_file_is_not_downloaded_again(site, tmp_path, sha256) -> None:
    download_corpus(site, tmp_path)
    assert download_corpus(site, tmp_path, sha256) == CONTENT
    assert len(site.requests) == 1


def test_a_wrong_file_is_downloaded_again(site, tmp_path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "corpus.gz").write_bytes(CONTENT[:-1])
    assert download_corpus(site, tmp_path) == CONTENT


def test_an_interrupted_transfer_is_resumed(site, tmp_path, caplog) -> None:
    site.interruptions = [200_000, 100_000]
    assert download_corpus(site, tmp_path) == CONTENT
    assert site.requests == [
        ("corpus.gz", ""),
        ("corpus.gz", "bytes=200000-"),
        ("corpus.gz", "bytes=300000-"),
    ]
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        "the transfer was interrupted after 200,000 of 600,000 bytes; trying again.",
        "the transfer was interrupted after 300,000 of 600,000 bytes; trying again.",
    ]


def test_a_later_call_resumes_an_interrupted_transfer(site, tmp_path) -> None:
    site.interruptions = [250_000]
    with pytest.raises(DataError, match=r"250,000 of 600,000 bytes .*Rerun"):
        download_corpus(site, tmp_path, attempts=1)
    assert not (tmp_path / "downloads" / "corpus.gz").exists()
    assert download_corpus(site, tmp_path) == CONTENT
    assert site.requests[1:] == [("corpus.gz", "bytes=250000-")]


def test_a_single_missing_byte_is_downloaded_alone(site, tmp_path) -> None:
    site.interruptions = [len(CONTENT) - 1]
    with pytest.raises(DataError, match="interrupted"):
        download_corpus(site, tmp_path, attempts=1)
    assert download_corpus(site, tmp_path) == CONTENT
    assert site.requests[1:] == [("corpus.gz", f"bytes={len(CONTENT) - 1}-")]


def test_a_file_that_changed_between_two_transfers_is_downloaded_again(site, tmp_path) -> None:
    site.interruptions = [250_000]
    with pytest.raises(DataError, match="interrupted"):
        download_corpus(site, tmp_path, attempts=1)
    new = random.Random(2).randbytes(400_000)
    site.files["corpus.gz"], site.tag = new, '"2"'
    assert download_corpus(site, tmp_path, None) == new


def test_a_partial_file_from_a_different_address_is_not_resumed(site, tmp_path) -> None:
    site.interruptions = [250_000]
    with pytest.raises(DataError, match="interrupted"):
        download_corpus(site, tmp_path, attempts=1)
    site.files["moved.gz"] = random.Random(3).randbytes(400_000)
    path = tmp_path / "downloads" / "corpus.gz"
    fetch(site.url("moved.gz"), path, wait_seconds=0)
    assert path.read_bytes() == site.files["moved.gz"]
    assert site.requests[-1] == ("moved.gz", "")


@pytest.mark.parametrize(("tag", "supports_ranges"), [('"1"', False), ('W/"1"', True), ("", True)])
def test_where_the_server_cannot_go_on_the_whole_is_fetched_again(
    site, tmp_path, tag, supports_ranges
) -> None:
    site.tag, site.supports_ranges, site.interruptions = tag, supports_ranges, [250_000]
    assert download_corpus(site, tmp_path) == CONTENT
    assert site.requests[1:] == [("corpus.gz", "" if supports_ranges else "bytes=250000-")]


def test_a_file_that_became_shorter_is_fetched_from_its_beginning(site, tmp_path) -> None:
    site.interruptions = [250_000]
    with pytest.raises(DataError, match="interrupted"):
        download_corpus(site, tmp_path, attempts=1)
    site.files["corpus.gz"] = b"short"
    assert download_corpus(site, tmp_path, None) == b"short"
    assert site.requests[1:] == [("corpus.gz", "bytes=250000-"), ("corpus.gz", "")]


def test_a_wrong_partial_file_is_detected_and_downloaded_again(site, tmp_path, caplog) -> None:
    site.interruptions = [250_000]
    with pytest.raises(DataError, match="interrupted"):
        download_corpus(site, tmp_path, attempts=1)
    (tmp_path / "downloads" / "corpus.gz.part").write_bytes(b"?" * 250_000)
    assert download_corpus(site, tmp_path) == CONTENT
    assert "belongs to a different file" in caplog.text


def test_a_file_with_the_wrong_checksum_is_removed(site, tmp_path) -> None:
    site.files["corpus.gz"] = b"something else"
    digest = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(DataError, match=f"{digest}, not {SHA256}"):
        download_corpus(site, tmp_path)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_missing_file_is_an_error_at_once(site, tmp_path) -> None:
    with pytest.raises(DataError, match="/none: .*404 Not Found"):
        fetch(site.url("none"), tmp_path / "none", SHA256, wait_seconds=0)
    assert len(site.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_server_errors_are_retried_a_few_times(site, tmp_path) -> None:
    site.failures = [503, 500]
    assert download_corpus(site, tmp_path) == CONTENT
    site.failures = [503, 503]
    with pytest.raises(DataError, match=r"503 Service Unavailable \(0 bytes"):
        fetch(site.url("corpus.gz"), tmp_path / "again", SHA256, attempts=2, wait_seconds=0)


def test_a_missing_server_is_an_error(tmp_path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DataError, match=r"no connection \(.*refused.*\)"):
        fetch(f"http://127.0.0.1:{port}/a", tmp_path / "a", attempts=2, wait_seconds=0)


def test_a_server_that_does_not_respond_is_an_error(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/a"
        with pytest.raises(DataError, match=r"no connection \(timed out\)"):
            fetch(address, tmp_path / "a", attempts=2, wait_seconds=0)


def test_pauses_grow_between_attempts(site, tmp_path, monkeypatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    site.failures = [500, 500, 500]
    fetch(site.url("corpus.gz"), tmp_path / "a", SHA256, wait_seconds=2.0)
    assert pauses == [2.0, 4.0, 6.0]


def test_a_file_of_unknown_length_is_downloaded(site, tmp_path) -> None:
    site.sends_length = False
    calls: list[tuple[int, int | None]] = []
    assert (
        download_corpus(site, tmp_path, on_progress=lambda received, total: calls.append((received, total)))
        == CONTENT
    )
    assert calls[-1] == (len(CONTENT), None)


def test_progress_includes_the_bytes_of_earlier_transfers(site, tmp_path) -> None:
    site.interruptions = [250_000]
    calls: list[tuple[int, int | None]] = []
    assert (
        download_corpus(site, tmp_path, on_progress=lambda received, total: calls.append((received, total)))
        == CONTENT
    )
    assert calls[0][0] <= 250_000
    assert calls[-1] == (600_000, 600_000)
    assert {total for _, total in calls} == {600_000}
    assert calls == sorted(calls)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "corpus.gz"])
def test_only_http_addresses_are_supported(url, tmp_path) -> None:
    with pytest.raises(DataError, match="only http"):
        fetch(url, tmp_path / "a")


def test_a_folder_that_cannot_be_written_is_named(site, tmp_path) -> None:
    (tmp_path / "downloads").write_text("in the way")
    with pytest.raises(ResourceError, match="corpus.gz': (Not a directory|File exists)"):
        download_corpus(site, tmp_path)
