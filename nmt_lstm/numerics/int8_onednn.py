"""oneDNN's int8 products: signed inputs where the processor has AMX, unsigned ones where it has VNNI."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nmt_lstm.numerics.row_counts import padded_rows

__all__ = ["OneDnnForm"]


class OneDnnForm:
    """An `Int8Form` by oneDNN. A row's bits do not depend on the number of rows from 8 rows on, so fewer are padded.

    Args:
        dtype: of the inputs, int8 or uint8.
        zero: added to the levels so that they fit the type.
    """

    largest_level = 127

    def __init__(self, dtype: torch.dtype, zero: int) -> None:
        self.dtype = dtype
        self.zero = zero

    def is_available(self) -> bool:
        """Whether this PyTorch was built with oneDNN."""
        return bool(torch.backends.mkldnn.is_available())

    def product(
        self, weight: Tensor, scale: Tensor, bias: Tensor | None, input_scale: float
    ) -> Callable[[Tensor], Tensor]:
        """Return the function of levels (R, in) that `Int8Form` describes."""
        # Not documented, but what torch's own compiler emits for int8; `fast_form` tries it before any use.
        zeros = torch.zeros(len(scale), dtype=torch.int32)
        layout = torch.ops.onednn.qlinear_prepack(weight, [64, weight.shape[1]])

        def multiply(levels: Tensor) -> Tensor:
            rows = padded_rows(levels)
            if self.zero:
                rows = rows.add_(self.zero)
            result: Tensor = torch.ops.onednn.qlinear_pointwise(
                rows.to(self.dtype),
                input_scale,
                self.zero,
                layout,
                scale,
                zeros,
                bias,
                1.0,
                0,
                torch.float32,
                "none",
                [],
                "",
            )
            return result[: len(levels)]

        return multiply
