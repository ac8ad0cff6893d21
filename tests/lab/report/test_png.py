"""Images of few colours."""

from __future__ import annotations

import struct
import zlib

import pytest

from nmt_lstm.lab.report.png import png

PALETTE = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def chunks(image: bytes) -> dict[bytes, bytes]:
    result, at = {}, 8
    while at < len(image):
        (length,) = struct.unpack(">I", image[at : at + 4])
        kind, data = image[at + 4 : at + 8], image[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", image[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(kind + data)
        result[kind] = data
        at += 12 + length
    return result


def test_pixels_and_palette_are_found_again() -> None:
    image = png(2, 3, bytes([0, 1, 2, 0, 1, 2]), PALETTE)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    result = chunks(image)
    assert list(result) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert struct.unpack(">II", result[b"IHDR"][:8]) == (2, 3)
    assert result[b"PLTE"] == bytes([255, 0, 0, 0, 255, 0, 0, 0, 255])
    # Before each row stands the number of its filter, 0.
    assert zlib.decompress(result[b"IDAT"]) == bytes([0, 0, 1, 0, 2, 0, 0, 1, 2])


def test_too_few_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="2 x 3"):
        png(2, 3, bytes(5), PALETTE)
