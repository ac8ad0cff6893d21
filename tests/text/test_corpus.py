"""Reading line-aligned text: what ends a line, what is refused with which place, and that pairs never shift."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmt_lstm.errors import DataError
from nmt_lstm.extras import install_command
from nmt_lstm.text import zstandard_file
from nmt_lstm.text.corpus import check_lengths, count_lines, read_blocks, read_lines, read_parallel

LINES = [
    "Ein Hund läuft.",
    "",
    "二行目　です。",
    "a\rb",
    "x\x85y\u2028z\u2029\x0b\x0c\x1c\x1d\x1e",
    "\t ",
    "Ende 😀",
]


def zstandard_frame(text: bytes) -> bytes:
    """A frame with a checksum, as the command zstd writes it."""
    zstd: Any = zstandard_file.LIBRARY
    if zstd is None:
        pytest.skip("nothing reads .zst files here")
    frame: bytes = zstd.compress(text, options={zstd.CompressionParameter.checksum_flag: 1})
    return frame


def compressed(text: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(text)
    if suffix == ".xz":
        return lzma.compress(text)
    if suffix == ".bz2":
        return bz2.compress(text)
    if suffix == ".zst":
        return zstandard_frame(text)
    return text


def write(folder: Path, name: str, text: bytes) -> Path:
    path = folder / name
    path.write_bytes(compressed(text, path.suffix))
    return path


@pytest.mark.parametrize("suffix", ["", ".txt", ".gz", ".xz", ".bz2", ".zst"])
def test_only_line_feeds_end_lines_in_every_kind_of_file(tmp_path, suffix) -> None:
    path = write(tmp_path, f"text{suffix}", "".join(line + "\n" for line in LINES).encode())
    assert list(read_lines(path)) == LINES
    assert count_lines(path) == len(LINES)


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".bz2", ".zst"])
def test_parts_that_were_compressed_apart_and_joined_are_read_to_the_end(tmp_path, suffix) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(compressed(b"one\ntw", suffix) + compressed(b"o\nthree\n", suffix))
    assert list(read_lines(path)) == ["one", "two", "three"]
    assert b"".join(read_blocks(path)) == b"one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"a\nb", ["a", "b"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\n\n", ["a", ""]),
        (b"\n", [""]),
        (b"", []),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\r\n", ["a\r"]),
        ("\ufeffa\n\ufeffb\n".encode(), ["a", "\ufeffb"]),
        (b"\xef\xbb\xbf\r\n", [""]),
        (b"a\x00b\n", ["a\x00b"]),
    ],
)
def test_ends_of_lines_and_byte_order_marks(tmp_path, text, lines) -> None:
    path = write(tmp_path, "text", text)
    assert list(read_lines(path)) == lines
    assert count_lines(path) == len(lines)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), max_size=8))
def test_any_text_comes_back_line_by_line(tmp_path, lines) -> None:
    path = write(tmp_path, "any", b"".join(line.encode() + b"\n" for line in lines))
    expected = [line.removesuffix("\r") for line in lines]
    if expected:
        expected[0] = expected[0].removeprefix("\ufeff")
    assert list(read_lines(path)) == expected
    assert count_lines(path) == len(lines)


def test_lines_are_read_as_they_are_needed(tmp_path) -> None:
    path = write(tmp_path, "text", b"fine\n" * 3 + b"\xff\n")
    assert list(itertools.islice(read_lines(path), 3)) == ["fine"] * 3


def test_a_byte_that_is_not_utf_8_is_named_with_its_place(tmp_path) -> None:
    path = write(tmp_path, "text", "grün\nweiß\n".encode() + "blau und weiß\n".encode("latin1"))
    with pytest.raises(
        DataError, match=r"text' is not UTF-8 at line 3, byte 13 of the line \(0xdf\)\. .*latin1"
    ):
        list(read_lines(path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_recognised(tmp_path, encoding) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path = write(tmp_path, "text", mark + "weiß\n".encode(encoding))
    with pytest.raises(DataError, match=r"line 1, byte 1 .*iconv -f utf-16 -t utf-8"):
        list(read_lines(path))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_that_would_pass_for_utf_8_or_for_each_other(tmp_path, encoding) -> None:
    path = write(tmp_path, "text", "A dog runs through the snow.\n".encode(encoding))
    with pytest.raises(
        DataError, match=f"iconv -f {encoding.replace('-le', 'le').replace('-be', 'be')} -t utf-8"
    ):
        list(read_lines(path))


def test_a_stray_zero_byte_is_text(tmp_path) -> None:
    line = "a\0b c d e f g"
    assert list(read_lines(write(tmp_path, "text", f"{line}\n".encode()))) == [line]


@pytest.mark.parametrize("bad", [b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_what_only_looks_like_utf_8_is_refused(tmp_path, bad) -> None:
    path = write(tmp_path, "text", b"fine\nab" + bad + b"\n")
    with pytest.raises(DataError, match=r"line 2, byte 3 of the line"):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_a_compressed_file_without_its_ending_is_recognised(tmp_path, suffix) -> None:
    path = tmp_path / "train.de"
    path.write_bytes(compressed(b"ein Satz\n", suffix))
    with pytest.raises(DataError, match=rf"train\.de' is compressed; rename it to 'train\.de\{suffix}'"):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), count_lines], ids=["lines", "count"])
def test_a_plain_file_named_as_a_compressed_one_is_refused(tmp_path, suffix, read) -> None:
    path = tmp_path / f"train.de{suffix}"
    path.write_bytes(b"a plain sentence, long enough to be looked at\n" * 3)
    with pytest.raises(
        DataError, match=rf"train\.de\{suffix}' is not a \{suffix} file.* rename it to 'train\.de'"
    ):
        read(path)


@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), count_lines], ids=["lines", "count"])
@pytest.mark.parametrize("name", ["train.de", "train.de.xz"])
def test_a_compressed_file_under_a_wrong_name_is_told_its_right_one(tmp_path, name, read) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"ein Satz\n" * 9))
    with pytest.raises(DataError, match=r"is compressed; rename it to 'train\.de\.gz'"):
        read(path)


def test_older_formats_that_the_readers_know_are_read(tmp_path) -> None:
    path = tmp_path / "train.de.xz"
    path.write_bytes(lzma.compress(b"ein Satz\n", format=lzma.FORMAT_ALONE))
    assert list(read_lines(path)) == ["ein Satz"]


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), count_lines], ids=["lines", "count"])
def test_a_cut_compressed_file_is_refused_wherever_it_was_cut(tmp_path, suffix, read) -> None:
    whole = compressed(b"".join(b"sentence %d\n" % (number * number) for number in range(400)), suffix)
    path = tmp_path / f"text{suffix}"
    for length in (3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"Cannot read '.*' after (line|byte) [\d,]+: .+"):
            read(path)


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_a_damaged_compressed_file_is_refused(tmp_path, suffix) -> None:
    whole = bytearray(compressed(os.urandom(2_000).hex().encode() + b"\n", suffix))
    for place in range(len(whole) // 2, len(whole) // 2 + 40):
        whole[place] ^= 0x55
    path = tmp_path / f"text{suffix}"
    path.write_bytes(whole)
    with pytest.raises(DataError, match="Cannot read"):
        list(read_lines(path))


@pytest.mark.parametrize("read", [lambda path: next(read_lines(path)), count_lines], ids=["lines", "count"])
def test_what_is_no_file_is_refused(tmp_path, read) -> None:
    with pytest.raises(DataError, match="train' does not exist"):
        read(tmp_path / "train")
    with pytest.raises(
        DataError, match=r"is a folder; a text file \(plain, .gz, .xz, .bz2 or .zst\) is needed"
    ):
        read(tmp_path)
    locked = write(tmp_path, "locked.gz", b"text\n")
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # root may read anything
        with pytest.raises(DataError, match="Cannot read '.*locked.gz': Permission denied"):
            read(locked)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(DataError, match="Cannot read '.*loop': Too many levels of symbolic links"):
        read(loop)


def test_zst_without_a_library_says_what_to_install(tmp_path, monkeypatch) -> None:
    path = tmp_path / "text.zst"
    path.write_bytes(b"")
    monkeypatch.setattr(zstandard_file, "LIBRARY", None)
    with pytest.raises(
        DataError, match=re.escape(f"needs the backports.zstd library: {install_command('zstd')}")
    ):
        list(read_lines(path))


@pytest.mark.parametrize("read", [read_parallel, check_lengths])
@pytest.mark.parametrize("side", [0, 1])
def test_a_pipe_is_refused_before_it_is_opened(tmp_path, read, side) -> None:
    """Opening it would wait for a writer."""
    paths = [write(tmp_path, name, b"one\n") for name in ("a", "b")]
    paths[side] = tmp_path / "pipe"
    os.mkfifo(paths[side])
    with pytest.raises(DataError, match="pipe' is a pipe or device"):
        list(read(*paths))


def test_pairs_come_in_order_with_empty_lines_in_their_places(tmp_path) -> None:
    sources, targets = ["a", "", "c", "", "\u2028"], ["A", "B", "", "", "\x85 E"]
    source = write(tmp_path, "s.gz", "\n".join(sources).encode())
    target = write(tmp_path, "t", "".join(line + "\n" for line in targets).encode())
    assert list(read_parallel(source, target)) == list(zip(sources, targets, strict=True))


def test_files_without_lines_are_refused(tmp_path) -> None:
    empty, full = write(tmp_path, "empty", b""), write(tmp_path, "full", b"a\n")
    with pytest.raises(DataError, match="empty' is empty; training and validation need at least one line"):
        list(read_parallel(empty, empty))
    for pair in ((empty, full), (full, empty)):
        with pytest.raises(
            DataError, match=r"has [01] lines and '.*' has [01]; each line must have its translation"
        ):
            list(read_parallel(*pair))


@pytest.fixture
def sentences() -> tuple[list[str], list[str]]:
    """300 sentences of lengths that vary, and translations about as long."""
    draw = random.Random(1)
    lengths = [draw.randint(3, 90) for _ in range(300)]
    return ["x" * length for length in lengths], ["y" * (length + length % 3) for length in lengths]


def parted(tmp_path: Path, sources: list[str], targets: list[str]) -> str:
    source = write(tmp_path, "s", "".join(f"{line}\n" for line in sources).encode())
    target = write(tmp_path, "t", "".join(f"{line}\n" for line in targets).encode())
    with pytest.raises(DataError) as caught:
        list(read_parallel(source, target))
    return str(caught.value)


@pytest.mark.parametrize("lost", [20, 150, 280])
@pytest.mark.parametrize("side", [0, 1])
def test_a_lost_line_is_found_where_it_was_lost(tmp_path, sentences, lost, side) -> None:
    del sentences[side][lost - 1]
    message = parted(tmp_path, *sentences)
    counts = ("299", "300") if side == 0 else ("300", "299")
    assert re.search(rf"s' has {counts[0]} lines and '.*t' has {counts[1]};", message)
    found = re.search(r"They seem to part near line (\d+):", message)
    assert found is not None
    assert abs(int(found[1]) - lost) <= 5


def test_a_line_too_many_at_the_end_is_said_to_be_there(tmp_path, sentences) -> None:
    message = parted(tmp_path, sentences[0], [*sentences[1], "one more"])
    assert "match to the end of the shorter file, which is after line 300." in message


def test_files_that_have_nothing_to_do_with_each_other_are_said_to_be_so(tmp_path, sentences) -> None:
    draw = random.Random(2)
    others = ["z" * draw.randint(3, 90) for _ in range(250)]
    message = parted(tmp_path, sentences[0], others)
    assert "has 300 lines and" in message
    assert message.endswith(
        "They do not look like two sides of the same text: long lines do not stand beside long ones."
    )


def test_a_missing_file_is_told_with_what_is_there(tmp_path) -> None:
    write(tmp_path, "train.de", b"x\n")
    with pytest.raises(DataError, match=r"tran.de' does not exist. Did you mean 'train.de'\?"):
        count_lines(tmp_path / "tran.de")
    with pytest.raises(DataError, match=r"none/x.de' does not exist. There is no folder '.*none'\."):
        count_lines(tmp_path / "none" / "x.de")


def test_a_line_that_is_empty_on_one_side_alone_is_the_first_place_to_look(tmp_path) -> None:
    message = parted(tmp_path, ["a", " ", "c"], ["A", "B", "C", "D"])
    assert "The first place to look is line 2, which is empty in" in message
    assert "s' alone" in message


def test_unicode_is_not_changed_by_reading(tmp_path) -> None:
    decomposed = unicodedata.normalize("NFD", "Ärger が ﬁ")
    assert list(read_lines(write(tmp_path, "text", decomposed.encode()))) == [decomposed]


@pytest.mark.corpora
def test_real_text_has_its_lines(corpora) -> None:
    pairs = list(read_parallel(corpora / "multi30k" / "val.de", corpora / "multi30k" / "val.en"))
    assert len(pairs) == 1_014
    assert pairs[0] == (
        "Eine Gruppe von Männern lädt Baumwolle auf einen Lastwagen",
        "A group of men are loading cotton onto a truck",
    )


@pytest.mark.corpora
@pytest.mark.parametrize("lost", [50, 500, 960])
def test_a_line_lost_in_real_text_is_found_nearby(corpora, tmp_path, lost) -> None:
    lines = (corpora / "multi30k" / "val.en").read_bytes().split(b"\n")
    del lines[lost - 1]
    target = write(tmp_path, "val.en", b"\n".join(lines))
    with pytest.raises(DataError, match="has 1,014 lines and '.*' has 1,013") as caught:
        list(read_parallel(corpora / "multi30k" / "val.de", target))
    found = re.search(r"near line ([\d,]+)", str(caught.value))
    assert found is not None
    assert abs(int(found[1].replace(",", "")) - lost) <= 25
