"""The base of cells with several recurrent products in a step, one after the other."""

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
from nmt_lstm.recurrence.recurrence import Tensors, cut_gates, update_type
from nmt_lstm.recurrence.recurrent_linear import RecurrentLinear

__all__ = ["Products", "StepwiseCell"]

Products: TypeAlias = Mapping[str, Callable[[Tensor], Tensors]]
"""The recurrent products by name: functions of (rows, H) that return the product's blocks, each (rows, H)."""


class StepwiseCell(NamedGatesCell):
    """A cell one of whose gates acts on what enters a recurrent product, so that one product per step is not enough.

    Its author names gates and products and writes `advance`. The products with the inputs are taken out of the loop,
    and each recurrent weight's gradient is one product; the rest is autograd's, step by step. If one product of the last
    output is enough for all gates, use `GatedCell`.

    The base owns ``weight_ih`` (G*H, input_size) and ``bias_ih`` (G*H,) for G gates, and for each product of n blocks
    ``weight_<name>`` (n*H, H).

    Args:
        input_size: width of the inputs.
        hidden_size: width of the states and of each gate.
        initial_biases: of gates, by name, in place of the class's `biases`: what a subclass makes of its options.
    """

    products: ClassVar[tuple[tuple[str, int], ...]]
    """Names of the recurrent products, and how many blocks of the hidden width each gives."""

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
        # (T, B, input_size) by (G*H, input_size) transposed: (T, B, G*H), all positions in one product.
        from_input = sequence_linear(inputs.transpose(0, 1), self.weight_ih, self.bias_ih)
        length, rows = from_input.shape[:2]
        products = self._own_products()
        if torch.is_grad_enabled():
            # Used as they are, T steps would cost T products for the gradient of each weight (n*H, H).
            shared = {
                name: RecurrentLinear(self._weight(name), None, rows=rows, times=length) for name in products
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
        # Flat tensors with rows first, as `by_rows` takes them: (B, G*H), then each state (B, H).
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
