"""Fetching: whole and right or not at all, and from where it was cut."""

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
def served(site):
    site.files["corpus.gz"] = CONTENT


def fetched(site, folder, sha256=SHA256, **options) -> bytes:
    """What stands in the file afterwards; nothing else may be left beside it."""
    path = folder / "downloads" / "corpus.gz"
    fetch(site.url("corpus.gz"), path, sha256, wait_seconds=0, **options)
    assert sorted(file.name for file in path.parent.iterdir()) == ["corpus.gz"]
    return path.read_bytes()


def test_a_file_is_fetched_into_a_new_folder(site, tmp_path) -> None:
    assert fetched(site, tmp_path) == CONTENT
    assert site.requests == [("corpus.gz", "")]


def test_an_empty_file_is_fetched(site, tmp_path) -> None:
    site.files["corpus.gz"] = b""
    assert fetched(site, tmp_path, hashlib.sha256(b"").hexdigest()) == b""


@pytest.mark.parametrize("sha256", [SHA256, SHA256.upper(), None])
def test_a_right_file_is_not_fetched_again(site, tmp_path, sha256) -> None:
    fetched(site, tmp_path)
    assert fetched(site, tmp_path, sha256) == CONTENT
    assert len(site.requests) == 1


def test_a_wrong_file_is_fetched_anew(site, tmp_path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "corpus.gz").write_bytes(CONTENT[:-1])
    assert fetched(site, tmp_path) == CONTENT


def test_a_transfer_that_breaks_off_goes_on_where_it_was_cut(site, tmp_path, caplog) -> None:
    site.cuts = [200_000, 100_000]
    assert fetched(site, tmp_path) == CONTENT
    assert site.requests == [
        ("corpus.gz", ""),
        ("corpus.gz", "bytes=200000-"),
        ("corpus.gz", "bytes=300000-"),
    ]
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        "the transfer broke off after 200,000 of 600,000 bytes; trying again.",
        "the transfer broke off after 300,000 of 600,000 bytes; trying again.",
    ]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(site, tmp_path) -> None:
    site.cuts = [250_000]
    with pytest.raises(
        DataError,
        match=r"Cannot fetch http://.*/corpus.gz: the transfer broke off after 250,000 of 600,000 bytes "
        r"\(250,000 bytes are there\)\. Start the command again to resume from there",
    ):
        fetched(site, tmp_path, attempts=1)
    assert not (tmp_path / "downloads" / "corpus.gz").exists()
    assert fetched(site, tmp_path) == CONTENT
    assert site.requests[1:] == [("corpus.gz", "bytes=250000-")]


def test_a_single_byte_that_is_missing_is_fetched_alone(site, tmp_path) -> None:
    site.cuts = [len(CONTENT) - 1]
    with pytest.raises(DataError, match="broke off"):
        fetched(site, tmp_path, attempts=1)
    assert fetched(site, tmp_path) == CONTENT
    assert site.requests[1:] == [("corpus.gz", f"bytes={len(CONTENT) - 1}-")]


def test_a_file_that_changed_between_two_transfers_is_not_glued_together(site, tmp_path) -> None:
    site.cuts = [250_000]
    with pytest.raises(DataError, match="broke off"):
        fetched(site, tmp_path, attempts=1)
    new = random.Random(2).randbytes(400_000)
    site.files["corpus.gz"], site.tag = new, '"2"'
    assert fetched(site, tmp_path, None) == new


def test_what_came_from_another_address_is_not_gone_on_with(site, tmp_path) -> None:
    site.cuts = [250_000]
    with pytest.raises(DataError, match="broke off"):
        fetched(site, tmp_path, attempts=1)
    site.files["moved.gz"] = random.Random(3).randbytes(400_000)
    path = tmp_path / "downloads" / "corpus.gz"
    fetch(site.url("moved.gz"), path, wait_seconds=0)
    assert path.read_bytes() == site.files["moved.gz"]
    assert site.requests[-1] == ("moved.gz", "")


@pytest.mark.parametrize(("tag", "knows_ranges"), [('"1"', False), ('W/"1"', True), ("", True)])
def test_where_the_server_cannot_go_on_the_whole_is_fetched_again(site, tmp_path, tag, knows_ranges) -> None:
    site.tag, site.knows_ranges, site.cuts = tag, knows_ranges, [250_000]
    assert fetched(site, tmp_path) == CONTENT
    assert site.requests[1:] == [("corpus.gz", "" if knows_ranges else "bytes=250000-")]


def test_a_file_that_became_shorter_is_fetched_from_its_beginning(site, tmp_path) -> None:
    site.cuts = [250_000]
    with pytest.raises(DataError, match="broke off"):
        fetched(site, tmp_path, attempts=1)
    site.files["corpus.gz"] = b"short"
    assert fetched(site, tmp_path, None) == b"short"
    assert site.requests[1:] == [("corpus.gz", "bytes=250000-"), ("corpus.gz", "")]


def test_a_wrong_beginning_is_noticed_by_the_checksum_and_fetched_again(site, tmp_path, caplog) -> None:
    site.cuts = [250_000]
    with pytest.raises(DataError, match="broke off"):
        fetched(site, tmp_path, attempts=1)
    (tmp_path / "downloads" / "corpus.gz.part").write_bytes(b"?" * 250_000)
    assert fetched(site, tmp_path) == CONTENT
    assert "was of another file; fetching it from its beginning" in caplog.text


def test_a_file_with_another_checksum_is_refused_and_removed(site, tmp_path) -> None:
    site.files["corpus.gz"] = b"something else"
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(
        DataError,
        match=f"not the file expected: its sha256 is {found}, not {SHA256}. It was removed. .* get it elsewhere",
    ):
        fetched(site, tmp_path)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_file_that_is_not_there_is_an_error_at_once(site, tmp_path) -> None:
    with pytest.raises(DataError, match=r"Cannot fetch http://.*/none: the server answers 404 Not Found\."):
        fetch(site.url("none"), tmp_path / "none", SHA256, wait_seconds=0)
    assert len(site.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_server_in_trouble_is_asked_again_and_then_given_up(site, tmp_path) -> None:
    site.failures = [503, 500]
    assert fetched(site, tmp_path) == CONTENT
    site.failures = [503, 503]
    with pytest.raises(DataError, match=r"the server answers 503 Service Unavailable \(0 bytes are there\)"):
        fetch(site.url("corpus.gz"), tmp_path / "again", SHA256, attempts=2, wait_seconds=0)


def test_a_server_that_is_not_there_is_given_up(tmp_path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(DataError, match=r"no connection \(.*refused.*\)"):
        fetch(f"http://127.0.0.1:{port}/a", tmp_path / "a", attempts=2, wait_seconds=0)


def test_a_server_that_falls_silent_is_given_up(monkeypatch, tmp_path) -> None:
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


def test_a_file_of_unknown_length_is_fetched(site, tmp_path) -> None:
    site.says_length = False
    told: list[tuple[int, int | None]] = []
    assert fetched(site, tmp_path, on_progress=lambda have, total: told.append((have, total))) == CONTENT
    assert told[-1] == (len(CONTENT), None)


def test_progress_is_told_from_where_a_transfer_goes_on(site, tmp_path) -> None:
    site.cuts = [250_000]
    told: list[tuple[int, int | None]] = []
    assert fetched(site, tmp_path, on_progress=lambda have, total: told.append((have, total))) == CONTENT
    assert told[0][0] <= 250_000
    assert told[-1] == (600_000, 600_000)
    assert {total for _, total in told} == {600_000}
    assert [have for have, _ in told] == sorted(have for have, _ in told)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "corpus.gz"])
def test_only_the_web_is_fetched_from(url, tmp_path) -> None:
    with pytest.raises(DataError, match="only http:// and https:// addresses can be"):
        fetch(url, tmp_path / "a")


def test_a_place_that_cannot_be_written_is_named(site, tmp_path) -> None:
    (tmp_path / "downloads").write_text("in the way")
    with pytest.raises(
        ResourceError, match="Cannot write '.*downloads/corpus.gz': (Not a directory|File exists)"
    ):
        fetched(site, tmp_path)
