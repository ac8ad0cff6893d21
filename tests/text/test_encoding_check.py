"""Bytes that are not UTF-8 text are refused by their first line; text with a few invalid bytes is not."""

from __future__ import annotations

import random

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.text.encoding_check import check_readable

RUSSIAN = "Собака бежит по снегу, а мальчик смотрит."


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"\x1f\x8b\x08\x00", "compressed"),
        ("A dog runs.".encode("utf-16"), "utf-16"),
        ("A dog runs.".encode("utf-16-le"), "utf-16le"),
        (RUSSIAN.encode("cp1251"), "iconv"),
        ("犬が雪の中を走る。".encode("shift-jis"), "iconv"),
        (b"\x7fELF\x02\x01\x01" + b"\x00" * 9 + b"\x03\x00>\x00" + b"\x01" * 20, "look like text"),
        (random.Random(1).randbytes(500), "look like text"),
    ],
)
def test_other_encodings_and_binary_files_are_refused(line, word) -> None:
    with pytest.raises(DataError, match=word) as caught:
        check_readable(line, "in.txt")
    assert "in.txt" in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xff",
        b"\x00\x00\x00",
        RUSSIAN.encode(),
        "Ein Mädchen läuft über die Straße.".encode("latin-1"),
        b"a\tb\x0bc\x0cd\x1b[0m and more of it",
        b"\xff" + b"A dog runs through the snow.",
    ],
)
def test_text_with_a_few_invalid_bytes_is_accepted(line) -> None:
    check_readable(line, "in.txt")
