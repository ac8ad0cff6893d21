"""The base of cells with several recurrent products in a step, the one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.cells.gates import (
    checked_names,
    checked_products,
    checked_results,
    fill_biases,
    gate_tuple,
    starting_biases,
)
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.pointwise import by_rows
from nmt_lstm.numerics.sequence_linear import sequence_linear
from nmt_lstm.recurrence.recurrence import Tensors, cut_gates, update_type
from nmt_lstm.recurrence.shared_product import SharedProduct

__all__ = ["Products", "StepwiseCell"]

Products: TypeAlias = Mapping[str, Callable[[Tensor], Tensors]]
"""The recurrent products by name: functions of (rows, H) that return the product's blocks, each (rows, H)."""


class StepwiseCell(Cell):
    """A cell one of whose gates acts on what enters a recurrent product, so that one product per step is not enough.

    Its author names gates and products and writes `advance`. The products with the inputs are taken out of the loop,
    and each recurrent weight's gradient is one product; the rest is autograd's, step by step. Where all gates can do
    with one product of the last output, `GatedCell` is faster.

    The base owns ``weight_ih`` (G*H, input_size) and ``bias_ih`` (G*H,) for G gates, and for each product of n blocks
    ``weight_<name>`` (n*H, H).

    Args:
        input_size: width of the inputs.
        hidden_size: width of the states and of each gate.
        initial_biases: of gates, by name, in place of the class's `biases`: what a subclass makes of its options.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the gates' pre-activations from the input."""
    products: ClassVar[tuple[tuple[str, int], ...]]
    """Names of the recurrent products, and how many blocks of the hidden width each gives."""
    state: ClassVar[tuple[str, ...]] = ("hidden",)
    """Names of the state's tensors; the first is the output, unless `output_is_state` is False."""

    biases: ClassVar[Mapping[str, float]] = {}
    """What the biases of gates start with, by the gate's name; 0 for gates that are not named."""

    weight_ih: nn.Parameter
    bias_ih: nn.Parameter
    _gate_tuple: ClassVar[Any]

    def __init__(
        self, input_size: int, hidden_size: int, *, initial_biases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size)
        self.initial_biases = starting_biases(type(self), self.gates, self.biases, initial_biases or {})
        rows = len(self.gates) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        for name, blocks in self.products:
            self.register_parameter(
                f"weight_{name}", nn.Parameter(torch.empty(blocks * hidden_size, hidden_size))
            )
        self.reset_parameters()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "gates" in cls.__dict__:
            cls._gate_tuple = gate_tuple(cls, cls.gates)
        if "state" in cls.__dict__:
            checked_names(cls, "state", cls.state)
        if "products" in cls.__dict__:
            checked_products(cls, cls.products)
        if {"gates", "biases"} & cls.__dict__.keys():
            starting_biases(cls, cls.gates, cls.biases)

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does.

        ``weight_ih`` Xavier uniform (Glorot and Bengio 2010), each block of the recurrent products orthogonal (Saxe et
        al. 2014), ``bias_ih`` what `biases` says and 0 for other gates; modules inside by their own method. To start one
        gate differently, or to draw parameters of the subclass's own, override this and call it first.
        """
        bound = math.sqrt(6.0 / (self.input_size + self.hidden_size))
        with torch.no_grad():
            self.weight_ih.uniform_(-bound, bound)
            fill_biases(self.bias_ih, self.gates, self.initial_biases, self.hidden_size)
            for name, _ in self.products:
                for block in self._weight(name).split(self.hidden_size):
                    nn.init.orthogonal_(block)
        super().reset_parameters()

    def _weight(self, name: str) -> Tensor:
        weight: Tensor = getattr(self, f"weight_{name}")
        return weight

    @property
    def state_sizes(self) -> dict[str, int]:
        """Each state tensor has the hidden width."""
        return dict.fromkeys(self.state, self.hidden_size)

    def advance(self, x: Any, products: Products, state: State) -> State:
        """Return the new state, and before it the output if that is not the first state; row by row.

        Args:
            x: the gates' pre-activations from the input, by name, each (B, H).
            products: by name, functions of (B, H) that return the product's blocks, each (B, H).
            state: the old state, each (B, H).
        """
        raise MissingMethodError(self, "does not define advance(x, products, state)")

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size) to (B, H)."""
        return self._step(linear(inputs, self.weight_ih, self.bias_ih), self._own_products(), state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        from_input = sequence_linear(inputs.transpose(0, 1), self.weight_ih, self.bias_ih)
        length, rows = from_input.shape[:2]
        products = self._own_products()
        if torch.is_grad_enabled():
            shared = {
                name: SharedProduct(self._weight(name), None, rows=rows, times=length) for name in products
            }
            products = {name: self._cut(product) for name, product in shared.items()}
        outputs = []
        for position in from_input:
            output, state = self._step(position, products, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def _own_products(self) -> dict[str, Callable[[Tensor], Tensors]]:
        def product(name: str) -> Callable[[Tensor], Tensor]:
            return lambda inputs: linear(inputs.to(self._weight(name).dtype), self._weight(name))

        return {name: self._cut(product(name)) for name, _ in self.products}

    def _cut(self, product: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensors]:
        return lambda inputs: cut_gates([product(inputs)], self.hidden_size)

    def _step(self, from_input: Tensor, products: Products, state: State) -> tuple[Tensor, State]:
        def advance(parts: Tensors) -> Tensors:
            x = self._gate_tuple(*cut_gates(parts[:1], self.hidden_size))
            new = self.advance(x, products, parts[1:])
            return checked_results(
                self, "advance", new, self.state, output_is_state=self.output_is_state, shape=parts[1].shape
            )

        state = tuple(part.to(update_type(from_input.dtype)) for part in state)
        if torch.is_grad_enabled():
            new = advance((from_input, *state))
        else:
            new = by_rows(advance, (from_input, *state), self.hidden_size)
        return new[0].to(from_input.dtype), new if self.output_is_state else new[1:]
