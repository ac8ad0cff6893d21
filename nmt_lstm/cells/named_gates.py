"""The base of all cells that name their gates: checked names, and the initialisation of their parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gates import checked_names, fill_biases, gate_tuple, starting_biases

__all__ = ["NamedGatesCell"]


class NamedGatesCell(Cell):
    """A cell with one product of the input for all its gates; authors start from `GatedCell` or `StepwiseCell`.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the states and of each gate.
        initial_biases: biases of gates by name, which override the class's `biases`; a subclass passes its options here.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the gates, in the order of their rows in ``weight_ih``."""
    state: ClassVar[tuple[str, ...]] = ("hidden",)
    """Names of the state's tensors; the first one is the output, unless `output_is_state` is False."""
    biases: ClassVar[Mapping[str, float]] = {}
    """Initial biases of gates, by the gate's name; 0 for other gates."""

    weight_ih: nn.Parameter
    bias_ih: nn.Parameter
    _gate_tuple: ClassVar[Any]

    def __init__(
        self, input_size: int, hidden_size: int, *, initial_biases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size)
        self.initial_biases = starting_biases(type(self), self.gates, self.biases, initial_biases or {})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # Checked where they are declared, so that a mistake shows when the class is defined, not when it is trained.
        if "gates" in cls.__dict__:
            cls._gate_tuple = gate_tuple(cls, cls.gates)
        if "state" in cls.__dict__:
            checked_names(cls, "state", cls.state)
        if {"gates", "biases"} & cls.__dict__.keys():
            starting_biases(cls, cls.gates, cls.biases)

    @property
    def state_sizes(self) -> dict[str, int]:
        """Each state tensor has the hidden width."""
        return dict.fromkeys(self.state, self.hidden_size)

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does.

        ``weight_ih`` Xavier uniform for each gate (Glorot and Bengio 2010), each block (H, H) of the recurrent weights
        orthogonal (Saxe et al. 2014), ``bias_ih`` as in `biases` and 0 for other gates; modules inside by their own method.
        To initialise one gate differently, or to draw the subclass's own parameters, override this and call it first.
        """
        # Each gate is a matrix (H, input_size); fan-in and fan-out do not change because G of them share a tensor.
        bound = math.sqrt(6.0 / (self.input_size + self.hidden_size))
        nn.init.uniform_(self.weight_ih, -bound, bound)
        with torch.no_grad():
            for weight in self._recurrent_weights():
                for block in weight.split(self.hidden_size):
                    nn.init.orthogonal_(block)
        fill_biases(self.bias_ih, self.gates, self.initial_biases, self.hidden_size)
        super().reset_parameters()

    def _recurrent_weights(self) -> Iterable[Tensor]:
        """Return the weights (n*H, H) of the recurrent products."""
        raise NotImplementedError
