"""A .zst file is read to its end in little memory, whatever its frames."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.text.zstandard_file import LIBRARY, ZSTANDARD_DAMAGE, create_zstandard, open_zstandard

zstd: Any = LIBRARY
if zstd is None:
    pytest.skip("no library for .zst files is installed", allow_module_level=True)


def write(folder: Path, *frames: bytes) -> Path:
    """Write a file of frames."""
    path = folder / "text.zst"
    path.write_bytes(b"".join(frames))
    return path


def frame(text: bytes, **options: bool) -> bytes:
    """A frame with options of the compressor."""
    return zstd.compress(
        text,
        options={getattr(zstd.CompressionParameter, name): int(value) for name, value in options.items()},
    )


def test_all_frames_are_read(tmp_path) -> None:
    parts = [b"first\n", b"", b"x" * 300_000, b"\n", b"last"]
    with open_zstandard(write(tmp_path, *map(frame, parts))) as file:
        assert file.read() == b"".join(parts)


def test_a_frame_without_its_size_is_read(tmp_path) -> None:
    text = bytes(range(256)) * 2_000
    with open_zstandard(write(tmp_path, frame(text, content_size_flag=False))) as file:
        assert [file.read(1_000), file.read(1_000)] == [text[:1_000], text[1_000:2_000]]
        assert file.read() == text[2_000:]


def test_an_empty_file_is_truncated(tmp_path) -> None:
    with open_zstandard(write(tmp_path)) as file, pytest.raises(EOFError):
        file.read()


def test_many_small_frames_are_read(tmp_path) -> None:
    with open_zstandard(write(tmp_path, *(frame(b"%d\n" % number) for number in range(3_000)))) as file:
        assert file.readlines() == [b"%d\n" % number for number in range(3_000)]


@pytest.mark.parametrize("length", [2, 9, -1])
def test_a_truncated_frame_is_an_error_after_the_frames_before(tmp_path, length) -> None:
    last = frame(bytes(range(256)) * 10)
    with open_zstandard(write(tmp_path, frame(b"complete\n"), last[:length])) as file:
        assert file.readline() == b"complete\n"
        with pytest.raises(EOFError):
            file.read()


def test_other_data_after_a_frame_is_an_error(tmp_path) -> None:
    with open_zstandard(write(tmp_path, frame(b"complete\n"), b"no frame at all")) as file:
        assert file.readline() == b"complete\n"
        with pytest.raises(ZSTANDARD_DAMAGE):
            file.read()


def test_a_changed_byte_is_detected_by_the_checksum(tmp_path) -> None:
    content = bytearray(frame(bytes(range(256)), checksum_flag=True))
    content[-20] ^= 1
    with (
        open_zstandard(write(tmp_path, bytes(content))) as file,
        pytest.raises(ZSTANDARD_DAMAGE, match="checksum"),
    ):
        file.read()


def test_highly_compressed_text_is_read_in_little_memory(tmp_path) -> None:
    size = 256 << 20
    compressor = zstd.ZstdCompressor()
    zeros = b"\0" * (1 << 20)
    path = write(tmp_path, *(compressor.compress(zeros) for _ in range(size >> 20)), compressor.flush())
    assert path.stat().st_size < size / 1_000
    tracemalloc.start()
    try:
        with open_zstandard(path) as file:
            read = 0
            while block := file.read(1 << 16):
                read += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == size
    assert peak < size / 3


def test_a_missing_file_raises_file_not_found(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        open_zstandard(tmp_path / "none.zst")


def test_a_flipped_bit_of_a_written_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "text.zst"
    with create_zstandard(path) as file:
        file.write(b"ein Hund\n" * 3)
    content = bytearray(path.read_bytes())
    content[12] ^= 1  # within the text
    path.write_bytes(content)
    with open_zstandard(path) as file, pytest.raises((ZSTANDARD_DAMAGE, EOFError)):
        file.read()
