"""The base of most cells: an author names the gates and writes one pointwise function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.cells.gates import OWN_PARAMETERS, checked_results
from nmt_lstm.cells.named_gates import NamedGatesCell
from nmt_lstm.cells.prepared_cell import PreparedCell, without_products
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.inference_linear import InferenceLinear, InferencePrecision, inference_linear
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.piece_table import PieceTable, piece_table
from nmt_lstm.numerics.sequence_linear import sequence_linear
from nmt_lstm.recurrence.recurrence import Recurrence, Tensors, Update, split_gates
from nmt_lstm.recurrence.unroll import unroll

__all__ = ["GatedCell"]

# Methods that a `PreparedCell` replaces; `forward` may be any kernel that agrees with the step.
REPLACED_IN_INFERENCE = ("step", "step_by", "from_input", "recurrence")


class GatedCell(NamedGatesCell):
    """A cell defined by its gates and one pointwise `update`.

    The base owns the products; the author writes what happens between them. One position of a cell with the gates
    ``forget`` and ``candidate``, for B sentences, inputs of width I and states of width H::

          inputs (B, I)                                  state: hidden (B, H)
             |                                                  |
             |  weight_ih (2*H, I), bias_ih                     |  weight_hh (2*H, H), bias_hh
             |  one product for all positions                   |  one product per position
             v                                                  v
          x.forget, x.candidate (B, H) each              h.forget, h.candidate (B, H) each
             |                                                  |
             +------------->  update(x, h, state)  <------------+
                                      |
                                      v
                         (hidden,) (B, H): the output, and the state of the next position

    This is all the code that the author writes::

        class Forgetful(GatedCell):
            gates = ("forget", "candidate")

            def update(self, x, h, state):
                forget = torch.sigmoid(x.forget + h.forget)
                return (forget * state[0] + (1 - forget) * torch.tanh(x.candidate + h.candidate),)

    From `update` the base derives the step, the sequence and its gradients (see `nmt_lstm.recurrence.unroll`). Parameters
    have PyTorch's layout and gate order, so weights of `torch.nn.LSTM`, `GRU` and `RNN` load unchanged: ``weight_ih``
    (G*H, input_size), ``weight_hh`` (G*H, H), ``bias_ih`` and ``bias_hh`` (G*H,) for G gates. A subclass may add
    parameters and modules of its own and use them in `update`; they are trained with the others.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state and of each gate.
        initial_biases: biases of gates by name, which override the class's `biases`; a subclass passes its options here.
    """

    recurrent: ClassVar[bool] = True
    """Whether gates have products with the first state. Without them there are no ``weight_hh`` and ``bias_hh``, and
    `update` gets None for `h`."""
    highway: ClassVar[str] = ""
    """Name of the last gate, if it is a highway connection: the input itself if it is as wide as the cell, otherwise a
    projection of it."""
    history: ClassVar[bool] = True
    """The former name of `recurrent`, kept until version 0.2 for plugins that use it."""

    weight_hh: nn.Parameter
    bias_hh: nn.Parameter

    def __init__(
        self, input_size: int, hidden_size: int, *, initial_biases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, initial_biases=initial_biases)
        self.passes_input = bool(self.highway) and input_size == hidden_size
        rows = (len(self.gates) - self.passes_input) * hidden_size
        # Checkpoints depend on the order: an optimizer's state refers to parameters by number.
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        if self.recurrent:
            self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        if self.recurrent:
            self.bias_hh = nn.Parameter(torch.empty(rows))
        self.reset_parameters()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "history" in cls.__dict__:
            cls.recurrent = cls.history
        cls.history = cls.recurrent
        if cls.highway and cls.highway != cls.gates[-1]:
            raise TypeError(
                f"{cls.__name__}.highway is '{cls.highway}', but must be the last gate, '{cls.gates[-1]}'."
            )

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does.

        Each gate: ``weight_ih`` Xavier uniform (Glorot and Bengio 2010), ``weight_hh`` orthogonal (Saxe et al. 2014),
        ``bias_ih`` as in `biases`, 0 for other gates, and ``bias_hh`` 0; modules inside by their own method. To initialise
        one gate differently, or to draw the subclass's own parameters, override this and call it first.
        """
        super().reset_parameters()
        # PyTorch's layout has two biases of which only the sum matters, so `bias_ih` alone gets the initial value.
        if self.recurrent:
            nn.init.zeros_(self.bias_hh)

    def _recurrent_weights(self) -> Iterable[Tensor]:
        return (self.weight_hh,) if self.recurrent else ()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        # torch.nn.LSTM, GRU and RNN append the number of the layer: weight_ih_l0.
        for name in OWN_PARAMETERS:
            if f"{prefix}{name}_l0" in state_dict:
                state_dict[f"{prefix}{name}"] = state_dict.pop(f"{prefix}{name}_l0")
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the new state as a tuple, after the output if `output_is_state` is False.

        It must be a pure function that works row by row.

        Args:
            x: the gates' pre-activations from the input, by name (``x.forget``), each (B, H).
            h: the pre-activations from the first state, likewise; None if `recurrent` is False.
            state: the old state, each (B, H).
        """
        raise MissingMethodError(self, "does not define update(x, h, state)")

    def _named_update(self, x: Tensors, h: Tensors, state: State, noise: Tensors) -> tuple[Tensor, State]:
        """Return output and new state (B, H) of `update`, which takes its gates by name and no noise."""
        new = self.update(self._gate_tuple(*x), self._gate_tuple(*h) if h else None, state)
        new = checked_results(
            self, "update", new, self.state, output_is_state=self.output_is_state, shape=state[0].shape
        )
        return new[0], new if self.output_is_state else new[1:]

    def recurrence(
        self,
        around: Callable[[Update], Update] | None = None,
        noise: Tensors = (),
        recurrent_mask: Tensor | None = None,
        *,
        history_mask: Tensor | None = None,
    ) -> Recurrence:
        """Return the recurrence to unroll; a wrapper of the cell passes a modified one to `unroll_by`.

        Args:
            around: returns the update to use, given the cell's own; it must not add parameters.
            noise: tensors (T, B, any width), of which the update receives one position at each step.
            recurrent_mask: (B, H), multiplied with the first state before the recurrent product.
            history_mask: the former name of `recurrent_mask`, kept until version 0.2 for plugins that use it.
        """
        update: Update = self._named_update if around is None else around(self._named_update)
        return Recurrence(update, noise, history_mask if recurrent_mask is None else recurrent_mask)

    def from_input(self, inputs: Tensor) -> list[Tensor]:
        """Return the gates' pre-activations from inputs (..., input_size).

        They are one tensor (..., G*H), or two if a `highway` passes the input: (..., (G-1)*H) and (..., H).
        """
        product = linear if inputs.dim() == 2 else sequence_linear
        device = inputs.device.type
        if self.passes_input and torch.is_autocast_enabled(device):
            # Cast once for both the product and the highway, so that the gradient is cast once too.
            dtype = torch.get_autocast_dtype(device)
            inputs = inputs.to(dtype, memory_format=torch.contiguous_format)
        products = product(inputs, self.weight_ih, self.bias_ih)
        return [products, inputs.to(products.dtype).contiguous()] if self.passes_input else [products]

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size) to (B, H)."""
        return self.step_by(self.recurrence(), inputs, state)

    def step_by(self, recurrence: Recurrence, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position (B, input_size) with a recurrence that `recurrence` returned."""
        from_input = self.from_input(inputs)
        dtype = from_input[0].dtype
        h: Tensors = ()
        if self.recurrent:
            # (B, H) by (G*H, H) transposed: (B, G*H), split into G gates (B, H).
            product = linear(recurrence.recurrent_input(state, dtype), self.weight_hh, self.bias_hh)
            h = split_gates([product], self.hidden_size)
        with torch.autocast(inputs.device.type, enabled=False):
            x = split_gates(from_input, self.hidden_size)
            output, new = recurrence.step(x, h, state, recurrence.noise_at(0))
        return output.to(dtype), new

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self.unroll(inputs, state)

    def unroll(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence in the loop over `update`, as `forward` does unless a subclass has a fused kernel.

        A `forward` with a kernel may fall back on this; the conformance kit compares the two.

        Args:
            inputs: (B, T, input_size), T at least 1.
            state: as `state_sizes`, each (B, H).

        Returns:
            The outputs (B, T, H) and the state after the last position.
        """
        return self.unroll_by(self.recurrence(), inputs, state)

    def unroll_by(self, recurrence: Recurrence, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Unroll a modified recurrence over a whole sequence, as wrappers for zoneout and recurrent dropout do.

        Args:
            recurrence: from the method `recurrence`; its noise has T positions.
            inputs: (B, T, input_size), T at least 1.
            state: as `state_sizes`, each (B, H).

        Returns:
            The outputs (B, T, H) and the state after the last position.
        """
        # Time first, so that each step reads and writes contiguous memory.
        from_input = self.from_input(inputs.transpose(0, 1))
        recurrent_parameters = (self.weight_hh, self.bias_hh) if self.recurrent else (None, None)
        outputs, last = unroll(recurrence, from_input, state, *recurrent_parameters)
        return outputs.transpose(0, 1), last

    def prepare_for_inference(self, precision: InferencePrecision) -> Cell:
        """Return the cell with packed or quantised products; itself if a subclass overrides what they replace."""
        if not self._uses_base_methods():
            return self
        return self._prepared(inference_linear(self.weight_ih, self.bias_ih, precision), precision)

    @property
    def piece_table_width(self) -> int:
        """The gates' width, G*H; 0 if a highway passes the input, or a subclass overrides what a table replaces."""
        return 0 if self.passes_input or not self._uses_base_methods() else len(self.weight_ih)

    def prepare_for_pieces(self, embeddings: Tensor, precision: InferencePrecision) -> Cell:
        """Return the cell with a table of the products of all embeddings (V, input_size)."""
        if not self.piece_table_width:
            return super().prepare_for_pieces(embeddings, precision)
        table = piece_table(embeddings.detach(), self.weight_ih.detach(), self.bias_ih.detach(), precision)
        return self._prepared(table, precision)

    def _prepared(
        self, from_input: InferenceLinear | PieceTable, precision: InferencePrecision
    ) -> PreparedCell:
        cell = without_products(self)
        return PreparedCell(
            cell,
            from_input=from_input,
            from_history=inference_linear(self.weight_hh, self.bias_hh, precision)
            if self.recurrent
            else None,
            recurrence=cell.recurrence(),
            passes_input=self.passes_input,
        )

    def _uses_base_methods(self) -> bool:
        # A prepared cell consists of the two products and the update; it would skip what a subclass adds around them.
        kind = type(self)
        return all(getattr(kind, name) is getattr(GatedCell, name) for name in REPLACED_IN_INFERENCE)

    # The former names, kept until version 0.2 for plugins that use them.
    sweep, sweep_by = unroll, unroll_by
