"""Pairs of line-aligned files never shift, and files of different length are explained."""

from __future__ import annotations

import gzip
import os
import random
import re
from pathlib import Path

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus import check_lengths, count_usable, read_parallel


def write(folder: Path, name: str, text: bytes) -> Path:
    """Write a file, compressed as its name says."""
    path = folder / name
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("read", [read_parallel, check_lengths])
@pytest.mark.parametrize("side", [0, 1])
def test_a_pipe_is_refused_before_it_is_opened(tmp_path, read, side) -> None:
    """Opening it would wait for a writer."""
    paths = [write(tmp_path, name, b"one\n") for name in ("a", "b")]
    paths[side] = tmp_path / "pipe"
    os.mkfifo(paths[side])
    with pytest.raises(DataError, match="pipe' is a pipe or device"):
        list(read(*paths))


def test_pairs_keep_their_order_and_empty_lines(tmp_path) -> None:
    sources, targets = ["a", "", "c", "", "\u2028"], ["A", "B", "", "", "\x85 E"]
    source = write(tmp_path, "s.gz", "\n".join(sources).encode())
    target = write(tmp_path, "t", "".join(line + "\n" for line in targets).encode())
    assert list(read_parallel(source, target)) == list(zip(sources, targets, strict=True))


def test_files_without_lines_are_refused(tmp_path) -> None:
    empty, full = write(tmp_path, "empty", b""), write(tmp_path, "full", b"a\n")
    with pytest.raises(DataError, match="empty' is empty"):
        list(read_parallel(empty, empty))
    for pair in ((empty, full), (full, empty)):
        with pytest.raises(DataError, match=r"has [01] lines and '.*' has [01];"):
            list(read_parallel(*pair))


def test_pairs_with_text_on_both_sides_are_counted(tmp_path) -> None:
    source = write(tmp_path, "s", b"eins\n\nzwei\n\ndrei\n")
    target = write(tmp_path, "t", b"one\ntwo\n \n\nthree\n")
    assert count_usable(source, target) == 2


def test_a_side_of_blank_lines_is_refused(tmp_path) -> None:
    text, blank = write(tmp_path, "text", b"eins\n"), write(tmp_path, "blank", "\u3000\n".encode())
    with pytest.raises(DataError, match=f"^'{blank}' holds only blank lines"):
        count_usable(text, blank)
    with pytest.raises(DataError, match="hold only blank lines"):
        count_usable(blank, blank)


@pytest.fixture
def sentences() -> tuple[list[str], list[str]]:
    """300 sentences of varying lengths, and translations that are about as long."""
    draw = random.Random(1)
    lengths = [draw.randint(3, 90) for _ in range(300)]
    return ["x" * length for length in lengths], ["y" * (length + length % 3) for length in lengths]


def length_error(tmp_path: Path, sources: list[str], targets: list[str]) -> str:
    """The message about files of different length."""
    source = write(tmp_path, "s", "".join(f"{line}\n" for line in sources).encode())
    target = write(tmp_path, "t", "".join(f"{line}\n" for line in targets).encode())
    with pytest.raises(DataError) as caught:
        list(read_parallel(source, target))
    return str(caught.value)


@pytest.mark.parametrize("lost", [20, 150, 280])
@pytest.mark.parametrize("side", [0, 1])
def test_a_lost_line_is_located(tmp_path, sentences, lost, side) -> None:
    del sentences[side][lost - 1]
    message = length_error(tmp_path, *sentences)
    counts = ("299", "300") if side == 0 else ("300", "299")
    assert re.search(rf"s' has {counts[0]} lines and '.*t' has {counts[1]};", message)
    match = re.search(r"near line (\d+):", message)
    assert match is not None
    assert abs(int(match[1]) - lost) <= 5


def test_an_extra_line_at_the_end_is_recognised(tmp_path, sentences) -> None:
    message = length_error(tmp_path, sentences[0], [*sentences[1], "one more"])
    assert "match up to line 300" in message


def test_unrelated_files_are_recognised(tmp_path, sentences) -> None:
    draw = random.Random(2)
    others = ["z" * draw.randint(3, 90) for _ in range(250)]
    message = length_error(tmp_path, sentences[0], others)
    assert "has 300 lines and" in message
    assert "do not look like two sides" in message


def test_a_line_that_is_empty_on_one_side_is_reported(tmp_path) -> None:
    message = length_error(tmp_path, ["a", " ", "c"], ["A", "B", "C", "D"])
    assert "line 2" in message
    assert "empty only in" in message


@pytest.mark.corpora
def test_a_real_corpus_is_read(corpora) -> None:
    pairs = list(read_parallel(corpora / "multi30k" / "val.de", corpora / "multi30k" / "val.en"))
    assert len(pairs) == 1_014
    assert pairs[0] == (
        "Eine Gruppe von Männern lädt Baumwolle auf einen Lastwagen",
        "A group of men are loading cotton onto a truck",
    )


@pytest.mark.corpora
@pytest.mark.parametrize("lost", [50, 500, 960])
def test_a_line_lost_in_a_real_corpus_is_located(corpora, tmp_path, lost) -> None:
    lines = (corpora / "multi30k" / "val.en").read_bytes().split(b"\n")
    del lines[lost - 1]
    target = write(tmp_path, "val.en", b"\n".join(lines))
    with pytest.raises(DataError, match="has 1,014 lines and '.*' has 1,013") as caught:
        list(read_parallel(corpora / "multi30k" / "val.de", target))
    match = re.search(r"near line ([\d,]+)", str(caught.value))
    assert match is not None
    assert abs(int(match[1].replace(",", "")) - lost) <= 25


def test_text_without_pairs_is_read_as_lines_with_themselves(tmp_path) -> None:
    text, empty = tmp_path / "text", tmp_path / "empty"
    text.write_text("one\n\ntwo\n")
    empty.write_text("")
    assert list(read_parallel(text, None)) == [("one", "one"), ("", ""), ("two", "two")]
    assert (check_lengths(text, None), count_usable(text, None)) == (3, 2)
    with pytest.raises(DataError, match="empty"):
        list(read_parallel(empty, None))
