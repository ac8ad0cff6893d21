"""Numbers in columns, for text that people read."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

__all__ = ["NOT_SIGNIFICANT", "aligned", "p_value", "perplexity", "signed"]

NOT_SIGNIFICANT = "≈"
# e to the power of this is the largest float.
_LARGEST_EXPONENT = math.log(sys.float_info.max)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns two blanks apart, the first aligned at the left, the others at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)


def signed(value: float) -> str:
    """Return a difference with its sign, such as "+0.31" or "−1.20"."""
    return f"{value:+.2f}".replace("-", "−")


def p_value(value: float) -> str:
    """Return a p value, such as "0.041" or "<0.001"."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def perplexity(loss: float, digits: int = 1) -> str:
    """Return the perplexity of a loss in nats per piece, such as "12.3"; from a million on "2.4e+08"."""
    if loss >= _LARGEST_EXPONENT:
        return "infinite"
    value = math.exp(loss)
    return f"{value:.{digits}f}" if value < 1e6 else f"{value:.2g}"
