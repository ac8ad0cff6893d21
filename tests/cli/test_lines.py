"""Lines of files and pipes: where they end, what cannot be decoded, and output files that replace nothing too early."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import sys
from pathlib import Path

import pytest

from nmt_lstm.cli.lines import (
    check_output,
    decoded_lines,
    input_lines,
    output_stream,
    read_all_lines,
    read_matching_lines,
)
from nmt_lstm.errors import DataError, ResourceError


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"ab", ["ab"]),
        (b"ab\n\n", ["ab", ""]),
        (b"ab\r\ncd\r\n", ["ab", "cd"]),
        (b"\xef\xbb\xbfab\n", ["ab"]),
        (b"a\x00b\x0bc\x0cd\x1ce\n", ["a\x00b\x0bc\x0cd\x1ce"]),
        ("a\u2028b\u0085c\n".encode(), ["a\u2028b\u0085c"]),
        (b"ab\xff\n", ["ab\ufffd"]),
    ],
)
def test_only_a_line_feed_ends_a_line(data, lines):
    assert list(decoded_lines(io.BytesIO(data), "text")) == lines


def test_utf_16_is_an_error():
    with pytest.raises(DataError, match="iconv"):
        list(decoded_lines(io.BytesIO("one\n".encode("utf-16")), "text"))


@pytest.mark.parametrize("path", [None, "-"])
def test_no_path_and_a_dash_are_stdin_and_stdout(monkeypatch, capsysbinary, path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert list(input_lines(path)) == ["one", "two"]
    with output_stream(path) as stream:
        stream.write(b"three\n")
    assert capsysbinary.readouterr().out == b"three\n"


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("truncated.gz", gzip.compress(b"ab\n" * 9, mtime=0)[:-8], "end"),
        ("plain.gz", b"not compressed", "not a .gz file"),
        ("missing", None, "does not exist"),
    ],
)
def test_an_unreadable_input_is_an_error(tmp_path, name, data, word):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=word):
        list(input_lines(tmp_path / name))


@pytest.mark.parametrize(
    ("suffix", "open_file"), [(".gz", gzip.open), (".XZ", lzma.open), (".bz2", bz2.open)]
)
def test_the_extension_selects_the_compression(tmp_path, capsys, suffix, open_file):
    path = tmp_path / f"out{suffix}"
    with output_stream(path) as stream:
        stream.write(b"ab\ncd\n")
    with open_file(path) as file:
        assert file.read() == b"ab\ncd\n"
    assert "2 lines" in capsys.readouterr().err


def test_a_failure_before_the_first_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "out"
    path.write_text("old\n")

    def fail():
        with output_stream(path):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old\n"
    with output_stream(path):
        pass
    assert path.read_text() == ""


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("none/out", "'.*none'"),
        ("out.zip", ".gz"),
        ("text", "input"),
        (".", "Is a directory"),
    ],
)
def test_an_invalid_output_is_an_error_before_the_work(tmp_path, output, word):
    (tmp_path / "text").write_text("ab\n")
    with pytest.raises(DataError, match=word):
        check_output(tmp_path / output, [None, tmp_path / "text"])
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_the_error_of_a_full_disk_names_the_file():
    with (
        pytest.raises(ResourceError, match="No space left") as caught,
        output_stream(Path("/dev/full")) as file,
    ):
        file.write(b"a\n")
    assert caught.value.path == Path("/dev/full")


def test_only_whole_lines_remain_of_a_file_that_cannot_be_written_to_its_end(tmp_path, monkeypatch):
    class FullDisk(io.FileIO):
        def write(self, data):
            if self.tell() >= 6:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data[:6])

    monkeypatch.setattr(
        "nmt_lstm.text.text_file.create_bytes", lambda path: io.BufferedWriter(FullDisk(path, "wb"))
    )
    with pytest.raises(ResourceError, match="first 1 line"), output_stream(tmp_path / "out") as file:
        file.write(b"ab\ncdefgh\n")
    assert (tmp_path / "out").read_bytes() == b"ab\n"


def test_scored_text_must_be_complete_and_valid(tmp_path):
    (tmp_path / "empty").write_text("")
    (tmp_path / "latin").write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError, match="empty"):
        read_all_lines(tmp_path / "empty")
    with pytest.raises(DataError, match="line 1"):
        read_all_lines(tmp_path / "latin")


def test_matching_texts_have_the_same_number_of_lines(tmp_path):
    (tmp_path / "short").write_text("one\n")
    assert read_matching_lines(tmp_path / "short", tmp_path / "other", ["eins"]) == ["one"]
    with pytest.raises(DataError, match="missing") as caught:
        read_matching_lines(tmp_path / "short", tmp_path / "other", ["eins", "zwei"])
    assert (caught.value.path, caught.value.line) == (tmp_path / "short", 2)
