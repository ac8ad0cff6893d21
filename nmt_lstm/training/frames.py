"""Messages between the processes of a run: a kind, a length, and JSON or bytes; nothing is unpickled."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, NamedTuple

__all__ = ["Frame", "Kind", "encode", "read_frame"]

_HEADER = struct.Struct("!BI")
# Longer frames are those of another program.
LARGEST = 1 << 24


class Kind:
    """Kinds of frames."""

    BEAT = 1
    """The sender is alive."""
    HELLO = 2
    """From a process that has just connected: the secret of the run, rank and host."""
    VALUE = 3
    """A value of one process, to be shared."""
    VALUES = 4
    """The values of all processes."""
    DATA = 5
    """A part of a file; an empty one ends it."""
    FAILED = 6
    """The sender ends, with a message."""
    LOST = 7
    """The first process has lost another one: the message."""
    BYE = 8
    """The sender has reached the end of the run."""


class Frame(NamedTuple):
    """A message."""

    kind: int
    content: bytes

    def json(self) -> Any:
        """Return the content as plain values.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(self.content)


def encode(kind: int, content: bytes | Any = b"") -> bytes:
    """Return a message; content other than bytes is written as JSON."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return _HEADER.pack(kind, len(content)) + content


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Return the next message.

    Raises:
        EOFError: the connection was closed.
        ValueError: the sender is another program.
    """
    kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if length > LARGEST:
        raise ValueError(f"a message of {length} bytes is too long.")
    return Frame(kind, await reader.readexactly(length) if length else b"")
