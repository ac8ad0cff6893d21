"""The base of cells with several recurrent products in a step, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import State, check_sequence
from nmt_lstm.cells.gates import checked_products, checked_results
from nmt_lstm.cells.named_gates import NamedGatesCell
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.pointwise import by_rows
from nmt_lstm.numerics.sequence_linear import sequence_linear
from nmt_lstm.recurrence.recurrence import Tensors, split_gates, update_dtype
from nmt_lstm.recurrence.recurrent_linear import RecurrentLinear

__all__ = ["Products", "StepwiseCell"]

Products: TypeAlias = Mapping[str, Callable[[Tensor], Tensors]]
"""Recurrent products by name: functions of (rows, H) that return the product's blocks, each (rows, H)."""


class StepwiseCell(NamedGatesCell):
    """A cell with a gate that changes the input of a recurrent product, so that one product per step is not enough.

    Its author names gates and products and writes `advance`. The product with the inputs is hoisted out of the loop, and
    each recurrent weight's gradient is one product; autograd differentiates the rest step by step. If one product of the
    last output is enough for all gates, use `GatedCell`.

    The base owns ``weight_ih`` (G*H, input_size) and ``bias_ih`` (G*H,) for G gates, and for each product of n blocks
    ``weight_<name>`` (n*H, H).

    Args:
        input_size: width of the inputs.
        hidden_size: width of the states and of each gate.
        initial_biases: biases of gates by name, which override the class's `biases`; a subclass passes its options here.
    """

    products: ClassVar[tuple[tuple[str, int], ...]]
    """Names of the recurrent products, and how many blocks of the hidden width each has."""

    def __init__(
        self, input_size: int, hidden_size: int, *, initial_biases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, initial_biases=initial_biases)
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
        if "products" in cls.__dict__:
            checked_products(cls, cls.products)

    def _recurrent_weights(self) -> Iterable[Tensor]:
        return [self._weight(name) for name, _ in self.products]

    def _weight(self, name: str) -> Tensor:
        weight: Tensor = getattr(self, f"weight_{name}")
        return weight

    def advance(self, x: Any, products: Products, state: State) -> State:
        """Return the new state, after the output if that is not the first state. Must be pure, and work row by row.

        Args:
            x: the gates' pre-activations from the input, by name, each (B, H).
            products: by name, functions of (B, H) that return the product's blocks, each (B, H).
            state: the old state, each (B, H).
        """
        raise MissingMethodError(self, "does not define advance(x, products, state)")

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size) to (B, H)."""
        return self._step(linear(inputs, self.weight_ih, self.bias_ih), self._plain_products(), state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        # (T, B, input_size) by (G*H, input_size) transposed: (T, B, G*H), all positions in one product.
        from_input = sequence_linear(inputs.transpose(0, 1), self.weight_ih, self.bias_ih)
        length, rows = from_input.shape[:2]
        products = self._plain_products()
        if torch.is_grad_enabled():
            # Plain products would cost T products for the gradient of each weight (n*H, H).
            products = {
                name: self._in_blocks(RecurrentLinear(self._weight(name), None, rows=rows, times=length))
                for name, _ in self.products
            }
        outputs = []
        for position in from_input:
            output, state = self._step(position, products, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def _plain_products(self) -> dict[str, Callable[[Tensor], Tensors]]:
        def product(name: str) -> Callable[[Tensor], Tensor]:
            return lambda inputs: linear(inputs.to(self._weight(name).dtype), self._weight(name))

        return {name: self._in_blocks(product(name)) for name, _ in self.products}

    def _in_blocks(self, product: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensors]:
        return lambda inputs: split_gates([product(inputs)], self.hidden_size)

    def _step(self, from_input: Tensor, products: Products, state: State) -> tuple[Tensor, State]:
        # `by_rows` needs one flat tuple of tensors with rows first: (B, G*H), then each state (B, H).
        def advance(tensors: Tensors) -> Tensors:
            gates, *state = tensors
            x = self._gate_tuple(*split_gates([gates], self.hidden_size))
            new = self.advance(x, products, tuple(state))
            return checked_results(
                self, "advance", new, self.state, output_is_state=self.output_is_state, shape=state[0].shape
            )

        state = tuple(tensor.to(update_dtype(from_input.dtype)) for tensor in state)
        if torch.is_grad_enabled():
            new = advance((from_input, *state))
        else:
            new = by_rows(advance, (from_input, *state), self.hidden_size)
        return new[0].to(from_input.dtype), new if self.output_is_state else new[1:]
