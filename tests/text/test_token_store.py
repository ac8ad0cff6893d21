"""The token store is read back as written, in constant memory, and damage is detected when it is opened."""

from __future__ import annotations

import itertools
import json
import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmt_lstm.errors import DataError
from nmt_lstm.text import token_store
from nmt_lstm.text.token_store import TokenStore, TokenStoreWriter

SOURCES = [[5, 6, 7], [], [260], [9] * 40, [65_535]]
TARGETS = [[8], [], [4, 4], [], [300, 301]]


def write(folder, sources=SOURCES, targets=TARGETS, largest_id=65_535) -> TokenStore:
    """Write pairs and open the store."""
    with TokenStoreWriter(folder, largest_id) as store:
        store.write(sources, targets)
    return TokenStore.open(folder)


def contents(store: TokenStore) -> list[tuple[list[int], list[int]]]:
    """All pairs of a store."""
    return [(store.source[index].tolist(), store.target[index].tolist()) for index in range(len(store))]


def test_pairs_are_read_back(tmp_path) -> None:
    store = write(tmp_path)
    assert len(store) == len(store.source) == len(store.target) == 5
    assert contents(store) == list(zip(SOURCES, TARGETS, strict=True))
    assert store.source.lengths.tolist() == [3, 0, 1, 40, 1]
    assert store.target.lengths.tolist() == [1, 0, 2, 0, 2]


def test_pieces_are_counted_over_all_blocks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(token_store, "BLOCK", 2)
    counts = write(tmp_path).target.counts(302)
    assert {piece: count for piece, count in enumerate(counts.tolist()) if count} == {
        4: 2,
        8: 1,
        300: 1,
        301: 1,
    }
    assert len(counts) == 302


ids = st.lists(st.lists(st.integers(0, 2**16 - 1), max_size=6), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sources=ids, parts=st.lists(st.integers(0, 12), max_size=3))
def test_pairs_may_be_written_in_any_number_of_calls(tmp_path, sources, parts) -> None:
    targets = [sentence[::-1] for sentence in sources]
    bounds = [0, *sorted(min(part, len(sources)) for part in parts), len(sources)]
    with TokenStoreWriter(tmp_path, 2**16 - 1) as store:
        for start, end in itertools.pairwise(bounds):
            store.write(sources[start:end], targets[start:end])
    assert contents(TokenStore.open(tmp_path)) == list(zip(sources, targets, strict=True))


@pytest.mark.parametrize(("largest_id", "size"), [(65_535, 2), (65_536, 4), (499_999, 4)])
def test_ids_take_two_bytes_if_they_fit_and_four_otherwise(tmp_path, largest_id, size) -> None:
    store = write(tmp_path, [[largest_id, 1]], [[0]], largest_id)
    assert contents(store) == [([largest_id, 1], [0])]
    assert (tmp_path / "source.ids").stat().st_size == 2 * size


def test_lengths_are_those_of_the_sentences_across_blocks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(token_store, "BLOCK", 7)
    sentences = [[1] * (number % 5) for number in range(50)]
    store = write(tmp_path, sentences, sentences)
    assert store.source.lengths.tolist() == [len(sentence) for sentence in sentences]


def test_only_the_sentences_that_are_asked_for_are_read(tmp_path, monkeypatch) -> None:
    column = write(tmp_path, [[7] * 50] * 100, [[8]] * 100).source
    sizes = []
    pread = os.pread
    monkeypatch.setattr(
        os, "pread", lambda file, size, offset: sizes.append(size) or pread(file, size, offset)
    )
    assert column[70].tolist() == [7] * 50
    assert sizes == [16, 100]
    for index in (-1, 100):
        with pytest.raises(IndexError):
            column[index]


def test_a_store_that_is_truncated_while_it_is_open_is_an_error(tmp_path) -> None:
    column = write(tmp_path).source
    os.truncate(tmp_path / "source.ids", 10)
    with pytest.raises(DataError, match="truncated"):
        column[3]


def test_an_interrupted_store_is_continued_from_what_was_recorded(tmp_path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "begun"
    whole.mkdir()
    folder.mkdir()
    write(whole)
    interrupted = TokenStoreWriter(folder, 65_535)
    interrupted.write(SOURCES[:2], TARGETS[:2])
    written = interrupted.written()
    interrupted.write([[1, 2, 3]], [[4]])  # lost
    interrupted.__exit__(KeyboardInterrupt)
    with TokenStoreWriter(folder, 65_535, written=written) as store:
        store.write(SOURCES[2:], TARGETS[2:])
    assert contents(TokenStore.open(folder)) == list(zip(SOURCES, TARGETS, strict=True))
    for path in whole.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()
    (folder / "target.ids").write_bytes(b"\xff" + (folder / "target.ids").read_bytes()[1:])
    with pytest.raises(ValueError, match="changed"):
        TokenStoreWriter(folder, 65_535, written=written)


def test_memory_does_not_grow_with_the_text(tmp_path) -> None:
    def peak(parts: int) -> int:
        folder = tmp_path / str(parts)
        folder.mkdir()
        chunk = [list(range(20))] * 500
        tracemalloc.start()
        try:
            with TokenStoreWriter(folder, 100) as store:
                for _ in range(parts):
                    store.write(chunk, chunk)
            store = TokenStore.open(folder)
            assert store.target[len(store) - 1].tolist() == chunk[0]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(60) < 1.2 * peak(3)


def test_a_store_without_pairs_can_be_opened(tmp_path) -> None:
    store = write(tmp_path, [], [])
    assert len(store) == 0
    assert store.source.lengths.tolist() == []


def test_sentences_without_pieces_are_empty(tmp_path) -> None:
    store = write(tmp_path, [[], []], [[], []])
    assert contents(store) == [([], []), ([], [])]


def test_an_unfinished_store_is_refused(tmp_path) -> None:
    def write_interrupted() -> None:
        with TokenStoreWriter(tmp_path, 100) as store:
            store.write([[1]], [[2]])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_interrupted()
    assert (tmp_path / "source.ids").stat().st_size == 2
    with pytest.raises(DataError, match="no prepared store"):
        TokenStore.open(tmp_path)


@pytest.mark.parametrize("file", ["source.ids", "source.offsets", "target.ids", "target.offsets"])
@pytest.mark.parametrize(
    "change", [lambda content: content[:-2], lambda content: content + content, lambda _: b""]
)
def test_a_file_of_the_wrong_size_is_refused(tmp_path, file, change) -> None:
    write(tmp_path)
    path = tmp_path / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match="prepared store.*damaged"):
        TokenStore.open(tmp_path)


@pytest.mark.parametrize("file", ["source.ids", "target.offsets"])
def test_a_missing_file_is_named(tmp_path, file) -> None:
    write(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(DataError, match="No such file") as caught:
        TokenStore.open(tmp_path)
    assert caught.value.path == tmp_path / file


def test_sides_of_different_length_are_refused(tmp_path) -> None:
    with TokenStoreWriter(tmp_path, 100) as store:
        store.write([[1], [2]], [[1]])
    with pytest.raises(DataError, match="have different lengths"):
        TokenStore.open(tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        {"version": 99, "dtype": "<u2"},
        {"version": 1, "dtype": "<f8"},
        {"version": 1, "dtype": "object"},
        {},
    ],
)
def test_a_store_of_a_different_version_is_refused(tmp_path, header) -> None:
    write(tmp_path)
    (tmp_path / "store.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match="different version"):
        TokenStore.open(tmp_path)


def test_a_header_that_is_not_json_is_refused(tmp_path) -> None:
    write(tmp_path)
    for content in (b"{", b"\xff", b"[]"):
        (tmp_path / "store.json").write_bytes(content)
        with pytest.raises(DataError, match="damaged: .*store.json"):
            TokenStore.open(tmp_path)


@pytest.mark.parametrize(
    "name", ["source.ids", "source.offsets", "target.ids", "target.offsets", "store.json"]
)
def test_every_flipped_bit_is_detected(tmp_path, name) -> None:
    write(tmp_path)
    content = (tmp_path / name).read_bytes()
    for bit in range(0, 8 * len(content), 11):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        if name == "store.json" and _same_values(changed, content):
            continue
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(DataError, match=f"damaged.*{name}|different version"):
            TokenStore.open(tmp_path)


def _same_values(changed: bytearray, content: bytes) -> bool:
    """Whether a flip hit white space or the name of the checksum, which changes no value that is used."""
    try:
        after, before = json.loads(changed), json.loads(content)
    except ValueError:
        return False
    used = ("version", "dtype", "files")
    return (
        [after.get(key) for key in used] == [before[key] for key in used]
        and "sha256" not in after
        or after == before
    )


def test_a_store_of_an_earlier_version_without_checksums_is_opened(tmp_path) -> None:
    before = contents(write(tmp_path))
    (tmp_path / "store.json").write_text('{"version": 1, "dtype": "<u2"}')
    assert contents(TokenStore.open(tmp_path)) == before
