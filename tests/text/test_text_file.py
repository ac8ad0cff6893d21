"""Reading text files: what ends a line, which formats are recognised, and where errors are."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
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
from nmt_lstm.text.text_file import count_lines, read_blocks, read_lines

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
    """A frame with a checksum, as the zstd command writes it."""
    zstd: Any = zstandard_file.LIBRARY
    if zstd is None:
        pytest.skip("no library for .zst files is installed")
    frame: bytes = zstd.compress(text, options={zstd.CompressionParameter.checksum_flag: 1})
    return frame


def compressed(text: bytes, suffix: str) -> bytes:
    """The text in the format of a suffix."""
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
    """Write a file, compressed as its name says."""
    path = folder / name
    path.write_bytes(compressed(text, path.suffix))
    return path


@pytest.mark.parametrize("suffix", ["", ".txt", ".gz", ".xz", ".bz2", ".zst"])
def test_only_line_feeds_end_lines_in_every_format(tmp_path, suffix) -> None:
    path = write(tmp_path, f"text{suffix}", "".join(line + "\n" for line in LINES).encode())
    assert list(read_lines(path)) == LINES
    assert count_lines(path) == len(LINES)


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".bz2", ".zst"])
def test_concatenated_archives_are_read_to_the_end(tmp_path, suffix) -> None:
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
def test_line_ends_and_byte_order_marks_are_removed(tmp_path, text, lines) -> None:
    path = write(tmp_path, "text", text)
    assert list(read_lines(path)) == lines
    assert count_lines(path) == len(lines)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), max_size=8))
def test_any_text_is_read_line_by_line(tmp_path, lines) -> None:
    path = write(tmp_path, "any", b"".join(line.encode() + b"\n" for line in lines))
    expected = [line.removesuffix("\r") for line in lines]
    if expected:
        expected[0] = expected[0].removeprefix("\ufeff")
    assert list(read_lines(path)) == expected
    assert count_lines(path) == len(lines)


def test_lines_are_read_lazily(tmp_path) -> None:
    path = write(tmp_path, "text", b"fine\n" * 3 + b"\xff\n")
    assert list(itertools.islice(read_lines(path), 3)) == ["fine"] * 3


def test_the_error_of_an_invalid_byte_gives_its_position(tmp_path) -> None:
    path = write(tmp_path, "text", "grün\nweiß\n".encode() + "blau und weiß\n".encode("latin1"))
    with pytest.raises(DataError, match=r"byte 13 of the line \(0xdf\)") as caught:
        list(read_lines(path))
    assert (caught.value.path, caught.value.line) == (path, 3)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_recognised(tmp_path, encoding) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path = write(tmp_path, "text", mark + "weiß\n".encode(encoding))
    with pytest.raises(DataError, match="iconv -f utf-16 -t"):
        list(read_lines(path))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_recognised(tmp_path, encoding) -> None:
    path = write(tmp_path, "text", "A dog runs through the snow.\n".encode(encoding))
    name = encoding.replace("-le", "le").replace("-be", "be")
    with pytest.raises(DataError, match=f"iconv -f {name} -t"):
        list(read_lines(path))


def test_a_single_zero_byte_is_accepted(tmp_path) -> None:
    line = "a\0b c d e f g"
    assert list(read_lines(write(tmp_path, "text", f"{line}\n".encode()))) == [line]


@pytest.mark.parametrize("bad", [b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_invalid_utf_8_sequences_are_refused(tmp_path, bad) -> None:
    path = write(tmp_path, "text", b"fine\nab" + bad + b"\n")
    with pytest.raises(DataError, match=r"line 2, byte 3 of the line"):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_a_compressed_file_without_its_suffix_is_recognised(tmp_path, suffix) -> None:
    path = tmp_path / "train.de"
    path.write_bytes(compressed(b"ein Satz\n", suffix))
    with pytest.raises(DataError, match=rf"rename it to 'train\.de\{suffix}'"):
        list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), count_lines], ids=["lines", "count"])
def test_a_plain_file_with_the_suffix_of_a_compressed_one_is_refused(tmp_path, suffix, read) -> None:
    path = tmp_path / f"train.de{suffix}"
    path.write_bytes(b"a plain sentence, long enough to be looked at\n" * 3)
    with pytest.raises(DataError, match=rf"not a \{suffix} file.* '{path.stem}'"):
        read(path)


@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), count_lines], ids=["lines", "count"])
@pytest.mark.parametrize("name", ["train.de", "train.de.xz"])
def test_the_right_suffix_of_a_compressed_file_is_suggested(tmp_path, name, read) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"ein Satz\n" * 9))
    with pytest.raises(DataError, match=r"rename it to 'train\.de\.gz'"):
        read(path)


def test_the_older_format_of_lzma_is_read(tmp_path) -> None:
    path = tmp_path / "train.de.xz"
    path.write_bytes(lzma.compress(b"ein Satz\n", format=lzma.FORMAT_ALONE))
    assert list(read_lines(path)) == ["ein Satz"]


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
@pytest.mark.parametrize("read", [lambda path: list(read_lines(path)), count_lines], ids=["lines", "count"])
def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path, suffix, read) -> None:
    archive = compressed(b"".join(b"sentence %d\n" % (number * number) for number in range(400)), suffix)
    path = tmp_path / f"text{suffix}"
    for length in (3, len(archive) // 2, len(archive) - 1):
        path.write_bytes(archive[:length])
        with pytest.raises(DataError, match="incomplete") as failure:
            read(path)
        assert failure.value.path == path


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2", ".zst"])
def test_a_damaged_archive_is_refused(tmp_path, suffix) -> None:
    archive = bytearray(compressed(os.urandom(2_000).hex().encode() + b"\n", suffix))
    for position in range(len(archive) // 2, len(archive) // 2 + 40):
        archive[position] ^= 0x55
    path = tmp_path / f"text{suffix}"
    path.write_bytes(archive)
    with pytest.raises(DataError, match="is damaged"):
        list(read_lines(path))


@pytest.mark.parametrize("read", [lambda path: next(read_lines(path)), count_lines], ids=["lines", "count"])
def test_missing_and_unreadable_files_are_refused(tmp_path, read) -> None:
    with pytest.raises(DataError, match="train' does not exist"):
        read(tmp_path / "train")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    locked = write(tmp_path, "locked.gz", b"text\n")
    locked.chmod(0)
    if not os.access(locked, os.R_OK):  # root may read anything
        with pytest.raises(DataError, match="Permission denied"):
            read(locked)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(DataError, match="symbolic links"):
        read(loop)


def test_the_error_of_zst_without_a_library_says_what_to_install(tmp_path, monkeypatch) -> None:
    path = tmp_path / "text.zst"
    path.write_bytes(b"")
    monkeypatch.setattr(zstandard_file, "LIBRARY", None)
    with pytest.raises(DataError, match=re.escape(install_command("zstd"))):
        list(read_lines(path))


def test_a_similar_name_is_suggested_for_a_missing_file(tmp_path) -> None:
    write(tmp_path, "train.de", b"x\n")
    with pytest.raises(DataError, match=r"Did you mean 'train.de'\?"):
        count_lines(tmp_path / "tran.de")
    with pytest.raises(DataError, match=r"folder '.*none' does not exist"):
        count_lines(tmp_path / "none" / "x.de")


def test_reading_does_not_normalise_unicode(tmp_path) -> None:
    decomposed = unicodedata.normalize("NFD", "Ärger が ﬁ")
    assert list(read_lines(write(tmp_path, "text", decomposed.encode()))) == [decomposed]
