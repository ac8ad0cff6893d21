"""The base of nearly every cell: its author names the gates and writes one pointwise function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.cells.gates import (
    OWN_PARAMETERS,
    checked_names,
    checked_results,
    fill_biases,
    gate_tuple,
    starting_biases,
)
from nmt_lstm.cells.prepared_cell import PieceReadingCell, PreparedCell
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.frozen_linear import FrozenPrecision
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.sequence_linear import sequence_linear
from nmt_lstm.recurrence.recurrence import Recurrence, Tensors, Update, cut_gates
from nmt_lstm.recurrence.unroll import unroll

__all__ = ["GatedCell"]

# What `PreparedCell` does in place of the cell; `forward` may be any kernel that agrees with the step.
REPLACED_IN_INFERENCE = ("step", "step_by", "from_input", "recurrence")


class GatedCell(Cell):
    """A cell given by its gates and one pointwise `update`.

    The base owns the parameters, in PyTorch's layout and gate order (so weights of `torch.nn.LSTM` and its like load
    unchanged): ``weight_ih`` (G*H, input_size), ``weight_hh`` (G*H, H), ``bias_ih`` and ``bias_hh`` (G*H,) for G gates.
    From `update` it derives the sequence, the step and the gradients (see `nmt_lstm.recurrence.unroll`).
    A subclass may add parameters and modules of its own and use them in `update`; their gradients come with the rest.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state and of each gate.
        initial_biases: of gates, by name, in place of the class's `biases`: what a subclass makes of its options.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the gates, in the order of their rows in the weights."""
    state: ClassVar[tuple[str, ...]] = ("hidden",)
    """Names of the state's tensors; the first one enters the recurrent product and is the output, unless
    `output_is_state` is False."""
    biases: ClassVar[Mapping[str, float]] = {}
    """What the biases of gates start with, by the gate's name; 0 for gates that are not named."""
    history: ClassVar[bool] = True
    """Whether gates have products with the first state. Without them there are no ``weight_hh`` and ``bias_hh``, and
    `update` gets None for `h`."""
    highway: ClassVar[str] = ""
    """Name of the last gate, if it is the input itself where that is as wide as the cell, and a product only where
    widths differ."""

    weight_ih: nn.Parameter
    bias_ih: nn.Parameter
    weight_hh: nn.Parameter
    bias_hh: nn.Parameter

    def __init__(
        self, input_size: int, hidden_size: int, *, initial_biases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size)
        # A tuple, since a recording of the update is kept only while all attributes are simple values.
        self.initial_biases = starting_biases(type(self), self.gates, self.biases, initial_biases or {})
        self.passes_input = bool(self.highway) and input_size == hidden_size
        rows = (len(self.gates) - self.passes_input) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        if self.history:
            self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        if self.history:
            self.bias_hh = nn.Parameter(torch.empty(rows))
        self.reset_parameters()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "gates" in cls.__dict__:
            cls._gate_tuple = gate_tuple(cls, cls.gates)
        if "state" in cls.__dict__:
            checked_names(cls, "state", cls.state)
        if {"gates", "biases"} & cls.__dict__.keys():
            starting_biases(cls, cls.gates, cls.biases)
        if cls.highway and cls.highway != cls.gates[-1]:
            raise TypeError(
                f"{cls.__name__}.highway is '{cls.highway}'; it names the last gate, which is '{cls.gates[-1]}'."
            )

    _gate_tuple: ClassVar[Any]

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does.

        Each gate: ``weight_ih`` Xavier uniform (Glorot and Bengio 2010), ``weight_hh`` orthogonal (Saxe et al. 2014),
        ``bias_ih`` what `biases` says, 0 for other gates, and ``bias_hh`` 0; modules inside by their own method. To start
        one gate differently, or to draw parameters of the subclass's own, override this and call it first.
        """
        hidden = self.hidden_size
        bound = math.sqrt(6.0 / (self.input_size + hidden))
        nn.init.uniform_(self.weight_ih, -bound, bound)
        with torch.no_grad():
            if self.history:
                for block in self.weight_hh.split(hidden):
                    nn.init.orthogonal_(block)
                nn.init.zeros_(self.bias_hh)
        fill_biases(self.bias_ih, self.gates, self.initial_biases, hidden)
        super().reset_parameters()

    @property
    def state_sizes(self) -> dict[str, int]:
        """Each state tensor has the hidden width."""
        return dict.fromkeys(self.state, self.hidden_size)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        # torch.nn.LSTM and its like number their layers: weight_ih_l0.
        for name in OWN_PARAMETERS:
            if f"{prefix}{name}_l0" in state_dict:
                state_dict[f"{prefix}{name}"] = state_dict.pop(f"{prefix}{name}_l0")
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the new state, and before it the output if that is not the first state; pure, row by row.

        Args:
            x: the gates' pre-activations from the input, by name (``x.forget``), each (B, H).
            h: the same from history; None if `history` is False.
            state: the old state, each (B, H).
        """
        raise MissingMethodError(self, "does not define update(x, h, state)")

    def _parts(self, x: Tensors, h: Tensors, state: State, noise: Tensors) -> tuple[Tensor, State]:
        new = self.update(self._gate_tuple(*x), self._gate_tuple(*h) if h else None, state)
        new = checked_results(
            self, "update", new, self.state, output_is_state=self.output_is_state, shape=state[0].shape
        )
        return new[0], new if self.output_is_state else new[1:]

    def recurrence(
        self,
        around: Callable[[Update], Update] | None = None,
        noise: Tensors = (),
        history_mask: Tensor | None = None,
    ) -> Recurrence:
        """Return what is repeated along a sequence.

        Args:
            around: makes another update of the cell's own, with no parameters besides.
            noise: tensors (T, B, any width) that the update gets step by step.
            history_mask: (B, H), what the first state is multiplied with before the recurrent product.
        """
        names = tuple(name for name, _ in self.named_parameters() if name not in OWN_PARAMETERS)
        update: Update = self._parts if around is None else around(self._parts)
        return Recurrence(update, self, names, noise, history_mask, lasting=around is None)

    def from_input(self, inputs: Tensor) -> list[Tensor]:
        """Return the gates' pre-activations from the input, tensors (..., n*H), of (..., input_size)."""
        product = linear if inputs.dim() == 2 else sequence_linear
        device = inputs.device.type
        if self.passes_input and torch.is_autocast_enabled(device):
            # Once for the product and for what passes, and so its gradient.
            dtype = torch.get_autocast_dtype(device)
            inputs = inputs.to(dtype, memory_format=torch.contiguous_format)
        products = product(inputs, self.weight_ih, self.bias_ih)
        return [products, inputs.to(products.dtype).contiguous()] if self.passes_input else [products]

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position: (B, input_size) to (B, H)."""
        return self.step_by(self.recurrence(), inputs, state)

    def step_by(self, recurrence: Recurrence, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position by a recurrence that `recurrence` made."""
        from_input = self.from_input(inputs)
        dtype = from_input[0].dtype
        h: Tensors = ()
        if self.history:
            h = cut_gates(
                [linear(recurrence.fed(state, dtype), self.weight_hh, self.bias_hh)], self.hidden_size
            )
        with torch.autocast(inputs.device.type, enabled=False):
            output, new = recurrence.rows(
                cut_gates(from_input, self.hidden_size), h, state, recurrence.noise_at(0)
            )
        return output.to(dtype), new

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self.unroll(inputs, state)

    def unroll(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence by the unrolled loop, also where `forward` has a fused kernel."""
        return self.unroll_by(self.recurrence(), inputs, state)

    def unroll_by(self, recurrence: Recurrence, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence by a recurrence that `recurrence` made."""
        products = (self.weight_hh, self.bias_hh) if self.history else (None, None)
        outputs, last = unroll(recurrence, self.from_input(inputs.transpose(0, 1)), state, *products)
        return outputs.transpose(0, 1), last

    def prepare_for_inference(self, precision: FrozenPrecision) -> Cell:
        """Return the cell with its products packed or quantised; itself if a subclass overrides what they replace."""
        return PreparedCell.of(self, precision) if self._has_own_products() else self

    @property
    def piece_table_width(self) -> int:
        """The gates' width, G*H; 0 if the input is passed on as it is, or a subclass overrides what a table replaces."""
        return 0 if self.passes_input or not self._has_own_products() else len(self.weight_ih)

    def prepare_for_pieces(self, embeddings: Tensor, precision: FrozenPrecision) -> Cell:
        """Return the cell with the product of each of the embeddings (V, input_size) in a table."""
        if not self.piece_table_width:
            return super().prepare_for_pieces(embeddings, precision)
        return PieceReadingCell.reading(self, embeddings, precision)

    def _has_own_products(self) -> bool:
        # A prepared cell has the two products and the update, and nothing that a subclass may put around them.
        kind = type(self)
        return all(getattr(kind, name) is getattr(GatedCell, name) for name in REPLACED_IN_INFERENCE)

    # The former names, for plugins written before version 0.2.
    sweep, sweep_by = unroll, unroll_by
