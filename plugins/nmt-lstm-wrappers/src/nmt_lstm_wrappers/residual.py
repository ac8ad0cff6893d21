"""Residual connections around cells."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from nmt_lstm import Linear, State
from nmt_lstm_wrappers.wrapper import Wrapper

__all__ = ["Residual"]


class Residual(Wrapper):
    r"""Residual connection around any cell, in every layer: the inputs are added to the outputs; for deep stacks.

    Equations::

        output y = h + x          (P x in place of x where the widths differ)

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition"; between recurrent layers Wu et al. 2016.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        cell: the inner cell: a registered name, or package.module:Class.
        cell_options: options of its constructor.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        cell_options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, cell=cell, cell_options=cell_options)
        self.output_is_state = False
        same = input_size == self.output_size
        self.project: nn.Module = nn.Identity() if same else Linear(input_size, self.output_size, bias=False)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position."""
        output, new = self.cell.step(inputs, state)
        return output + self.project(inputs).to(output.dtype), new

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence."""
        outputs, last = self.cell(inputs, state)
        return outputs + self.project(inputs).to(outputs.dtype), last
