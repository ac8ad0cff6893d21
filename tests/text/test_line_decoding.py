"""A file is decoded in blocks with the same lines and errors as line by line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.errors import DataError
from nmt_lstm.text import line_decoding
from nmt_lstm.text.line_decoding import decode_blocks, decode_lines

PATH = Path("text")
parts = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b"a", "ü€😀".encode(), b"\xff", b"\xe2\x82", b"\xef\xbb\xbf", b" b c "]
)


def outcome(lines) -> tuple[list[str], str, int | None]:
    """The lines, and the message and line of the error."""
    read: list[str] = []
    try:
        for line in lines:
            read.append(line)
    except DataError as error:
        return read, str(error), error.line
    return read, "", None


@settings(max_examples=300, deadline=None)
@given(content=st.lists(parts, max_size=40).map(b"".join), block=st.integers(1, 30))
def test_blocks_have_the_same_lines_and_errors_as_lines(content, block) -> None:
    expected = outcome(decode_lines(io.BytesIO(content), "text", path=PATH))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_decoding, "BLOCK", block)
        assert outcome(decode_blocks(io.BytesIO(content), "text", path=PATH)) == expected


def test_a_disk_that_fails_is_reported_with_the_line() -> None:
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(size)

    lines, message, line = outcome(decode_blocks(Failing(b"a\nb\nc"), "text", path=PATH))
    assert (lines, line) == (["a", "b"], 3)
    assert "after line 2" in message
