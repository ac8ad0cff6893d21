"""Numbers as they are printed in tables."""

from __future__ import annotations

import math
import sys

__all__ = ["NOT_SIGNIFICANT", "of_any_size", "p_value", "perplexity", "signed"]

NOT_SIGNIFICANT = "≈"
# exp of this is the largest float.
_MAX_EXPONENT = math.log(sys.float_info.max)


def signed(value: float) -> str:
    """Return a difference with its sign, such as "+0.31" or "−1.20"."""
    return f"{value:+.2f}".replace("-", "−")


def p_value(value: float) -> str:
    """Return a p value, such as "0.041" or "<0.001"."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def of_any_size(value: float, digits: int) -> str:
    """Return a number such as "5.341", or "1.2e+27" from a million on, so that no column becomes too wide."""
    return f"{value:.{digits}f}" if not abs(value) >= 1e6 else f"{value:.2g}"


def perplexity(loss: float, digits: int = 1) -> str:
    """Return the perplexity of a loss in nats per piece, such as "12.3", or "2.4e+08" from a million on."""
    if loss >= _MAX_EXPONENT:
        return "infinite"
    return of_any_size(math.exp(loss), digits)
