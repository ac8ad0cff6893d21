"""Random damage to files: flipped bits, lost and repeated bytes, and values of the wrong type, size or form."""

from __future__ import annotations

import random
from typing import Any

INSERTED = [b"\x00", b"\xff" * 8, b"9" * 30, b"-1", b"1e308", b"nan", b"../../etc/hostname", b'"', b"[", b"{"]
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 64, 65_536, 10**9, 10**18, -(10**18), 2**63, 1.5, -1e300, "", "x", "../x", "/etc/hostname",
    "a" * 10_000, "\x1b[31m", [], {}, [[]], {"a": {}}, "os:system", "rnn", "none", "cuda",
]  # fmt: skip


def damaged_bytes(draw: random.Random, content: bytes) -> bytes:
    """Return the content with 1 to 20 random changes."""
    damaged = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 5, 20])):
        damaged = damaged or bytearray(b"x")
        at = draw.randrange(len(damaged))
        match draw.randrange(6):
            case 0:
                damaged[at] ^= 1 << draw.randrange(8)
            case 1:
                damaged[at] = draw.randrange(256)
            case 2:
                del damaged[at : at + draw.randrange(1, 20)]
            case 3:
                damaged[at:at] = draw.choice(INSERTED)
            case 4:
                damaged[at:at] = damaged[draw.randrange(len(damaged)) :][: draw.randrange(1, 50)]
            case _:
                del damaged[at:]
    return bytes(damaged)


def damaged_values(draw: random.Random, values: Any) -> Any:
    """Return JSON or TOML values with one value, at any depth, removed or replaced."""
    if isinstance(values, dict) and values and draw.random() < 0.9:
        key = draw.choice(list(values))
        rest = {name: value for name, value in values.items() if name != key}
        return rest if draw.random() < 0.1 else {**rest, key: damaged_values(draw, values[key])}
    if isinstance(values, list) and values and draw.random() < 0.8:
        index = draw.randrange(len(values))
        return [*values[:index], damaged_values(draw, values[index]), *values[index + 1 :]]
    return draw.choice(VALUES)
