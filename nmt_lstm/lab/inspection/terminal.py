"""A trace at a terminal: attention and gates in shades of text, as wide as the terminal allows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from torch import Tensor

from nmt_lstm.lab.inspection.trace import LayerTrace, Trace
from nmt_lstm.plain_text import printable

__all__ = ["terminal_lines"]

SHADES = " ░▒▓█"
HEIGHTS = "▁▂▃▄▅▆▇█"
LABEL = 12
COLUMN = 4
"""Width of a piece, with the space before the next one."""


def terminal_lines(trace: Trace, width: int) -> Iterator[str]:
    """Yield the lines of a picture.

    Args:
        trace: of one sentence.
        width: of the terminal, in columns.
    """
    columns = max(1, (width - LABEL) // COLUMN)
    yield f"{trace.source_text}"
    yield f"{trace.target_text}"
    yield ""
    yield "attention: a row for each target piece, a column for each source piece"
    yield f"shades: ' ' none, ░ a fifth, ▒ two, ▓ three, █ four fifths or more; bars: {HEIGHTS[0]} low, {HEIGHTS[-1]} high"
    for block in _blocks(trace.source_pieces, columns):
        yield _axis("", trace.source_pieces[block])
        for target, weights in zip(trace.target_pieces, trace.attention, strict=True):
            marks = [SHADES[_level(float(share), len(SHADES))] * (COLUMN - 1) for share in weights[block]]
            yield f"{_fitted(target, LABEL)} {' '.join(marks)}".rstrip()
        yield ""
    for layer in trace.layers:
        pieces = trace.pieces_of(layer)
        yield f"{layer.name}: {layer.cell} (horizon {layer.horizon})"
        yield from _shares(layer, width)
        yield from _layer_lines(layer, pieces, columns)
        yield ""


def _layer_lines(layer: LayerTrace, pieces: Sequence[str], columns: int) -> Iterator[str]:
    record = layer.record
    rows: list[tuple[str, Tensor]] = [(name, values.mean(1)) for name, values in _shares_of(layer)]
    sizes = {"memory": record.after, "kept": record.kept, "written": record.written}
    for name, tensor in sizes.items():
        if tensor is not None:
            norms = tensor.norm(dim=1)
            rows.append((name, norms / norms.max().clamp_min(1e-12)))
    rows.append(("influence", layer.survival / layer.survival.max().clamp_min(1e-12)))
    for block in _blocks(pieces, columns):
        yield _axis("", pieces[block])
        for name, shares in rows:
            marks = [HEIGHTS[_level(float(share), len(HEIGHTS))] * (COLUMN - 1) for share in shares[block]]
            yield f"{_fitted(name, LABEL)} {' '.join(marks)}".rstrip()


def _shares_of(layer: LayerTrace) -> list[tuple[str, Tensor]]:
    """Return the gates that lie between 0 and 1."""
    record = layer.record
    return [(name, values) for name, values in record.gates.items() if record.is_share(name)]


def _shares(layer: LayerTrace, width: int) -> list[str]:
    told = [
        f"{name} open {float((values > 0.9).float().mean()):.0%}, closed {float((values < 0.1).float().mean()):.0%}"
        for name, values in _shares_of(layer)
    ]
    return textwrap.wrap("; ".join(told), width)


def _blocks(pieces: Sequence[str], columns: int) -> Iterator[slice]:
    for start in range(0, len(pieces), columns):
        yield slice(start, start + columns)


def _axis(name: str, pieces: Sequence[str]) -> str:
    shown = [_fitted(piece.removeprefix("▁") or piece, COLUMN - 1) for piece in pieces]
    return f"{_fitted(name, LABEL)} {' '.join(shown)}".rstrip()


def _fitted(text: str, width: int) -> str:
    """Return a piece in as many columns; East Asian characters take two."""
    plain = printable(text)
    if cell_len(plain) > width:
        plain = set_cell_size(plain, width)
    return plain + " " * (width - cell_len(plain))


def _level(share: float, count: int) -> int:
    return min(count - 1, max(0, int(share * count)))
