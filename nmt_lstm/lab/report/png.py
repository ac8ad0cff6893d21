"""Images of few colours as PNG files, for pictures that would otherwise need thousands of elements."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

__all__ = ["Colour", "data_address", "png"]

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS, _PALETTE, _NO_FILTER = 8, 3, b"\0"


def png(width: int, height: int, pixels: bytes, palette: Sequence[Colour]) -> bytes:
    """Return an image in PNG, by the W3C's specification, third edition.

    Args:
        width: in pixels.
        height: in pixels.
        pixels: row by row, each the place of its colour in the palette.
        palette: at most 256 colours.

    Raises:
        ValueError: there are more or fewer pixels than the size says.
    """
    if len(pixels) != width * height:
        raise ValueError(f"{len(pixels)} pixels are not an image of {width} x {height}.")
    rows = (pixels[start : start + width] for start in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, height, _BITS, _PALETTE, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(part for colour in palette for part in colour)),
            _chunk(b"IDAT", zlib.compress(b"".join(_NO_FILTER + row for row in rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def data_address(image: bytes) -> str:
    """Return a PNG file as an address that contains it."""
    return f"data:image/png;base64,{base64.b64encode(image).decode('ascii')}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
