"""The base of nearly every cell: its author names the gates and writes one pointwise function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State, check_sequence
from nmt_lstm.cells.gates import OWN_PARAMETERS, checked_results
from nmt_lstm.cells.named_gates import NamedGatesCell
from nmt_lstm.cells.prepared_cell import PieceReadingCell, PreparedCell
from nmt_lstm.errors import MissingMethodError
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.sequence_linear import sequence_linear
from nmt_lstm.recurrence.recurrence import Recurrence, Tensors, Update, cut_gates
from nmt_lstm.recurrence.unroll import unroll

__all__ = ["GatedCell"]

# What `PreparedCell` does in place of the cell; `forward` may be any kernel that agrees with the step.
REPLACED_IN_INFERENCE = ("step", "step_by", "from_input", "recurrence")


class GatedCell(NamedGatesCell):
    """A cell given by its gates and one pointwise `update`.

    The base owns the products, the author writes what happens between them. One position of a cell with the gates
    ``forget`` and ``candidate``, for B sentences, inputs of width I and states of width H::

          inputs (B, I)                                  state: hidden (B, H)
             |                                                  |
             |  weight_ih (2*H, I), bias_ih                     |  weight_hh (2*H, H), bias_hh
             |  one product for all positions                   |  one product a position
             v                                                  v
          x.forget, x.candidate (B, H) each              h.forget, h.candidate (B, H) each
             |                                                  |
             +------------->  update(x, h, state)  <------------+
                                      |
                                      v
                         (hidden,) (B, H): the output, and the state of the next position

    All of the author's code::

        class Forgetful(GatedCell):
            gates = ("forget", "candidate")

            def update(self, x, h, state):
                forget = torch.sigmoid(x.forget + h.forget)
                return (forget * state[0] + (1 - forget) * torch.tanh(x.candidate + h.candidate),)

    From `update` the base derives the step, the sequence and its gradients (see `nmt_lstm.recurrence.unroll`). Parameters
    have PyTorch's layout and gate order, so weights of `torch.nn.LSTM` and its like load unchanged: ``weight_ih``
    (G*H, input_size), ``weight_hh`` (G*H, H), ``bias_ih`` and ``bias_hh`` (G*H,) for G gates. A subclass may add
    parameters and modules of its own and use them in `update`; their gradients come with the rest.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state and of each gate.
        initial_biases: biases of gates by name, in place of the class's `biases`; with it an option becomes a bias.
    """

    recurrent: ClassVar[bool] = True
    """Whether gates have products with the first state. Without them there are no ``weight_hh`` and ``bias_hh``, and
    `update` gets None for `h`."""
    highway: ClassVar[str] = ""
    """Name of the last gate, if it is a highway connection: the input itself where its width equals the cell's, otherwise a
    product of it."""
    history: ClassVar[bool] = True
    """The former name of `recurrent`, kept until version 0.2 for plugins that use them."""

    weight_hh: nn.Parameter
    bias_hh: nn.Parameter

    def __init__(
        self, input_size: int, hidden_size: int, *, initial_biases: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, initial_biases=initial_biases)
        self.passes_input = bool(self.highway) and input_size == hidden_size
        rows = (len(self.gates) - self.passes_input) * hidden_size
        # Optimizers number parameters in the order in which they are made: checkpoints depend on it.
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
                f"{cls.__name__}.highway is '{cls.highway}'; it names the last gate, which is '{cls.gates[-1]}'."
            )

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does.

        Each gate: ``weight_ih`` Xavier uniform (Glorot and Bengio 2010), ``weight_hh`` orthogonal (Saxe et al. 2014),
        ``bias_ih`` what `biases` says, 0 for other gates, and ``bias_hh`` 0; modules inside by their own method. To start
        one gate differently, or to draw parameters of the subclass's own, override this and call it first.
        """
        super().reset_parameters()
        # PyTorch's layout has two biases, of which only the sum matters: the first one has it all.
        if self.recurrent:
            nn.init.zeros_(self.bias_hh)

    def _recurrent_weights(self) -> Iterable[Tensor]:
        return (self.weight_hh,) if self.recurrent else ()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        # torch.nn.LSTM and its like number their layers: weight_ih_l0.
        for name in OWN_PARAMETERS:
            if f"{prefix}{name}_l0" in state_dict:
                state_dict[f"{prefix}{name}"] = state_dict.pop(f"{prefix}{name}_l0")
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def update(self, x: Any, h: Any, state: State) -> State:
        """Return the new state as a tuple, with the output before it if `output_is_state` is False; pure, row by row.

        Args:
            x: the gates' pre-activations from the input, by name (``x.forget``), each (B, H).
            h: the same from the first state, by the recurrent product; None if `recurrent` is False.
            state: the old state, each (B, H).
        """
        raise MissingMethodError(self, "does not define update(x, h, state)")

    def _named_update(self, x: Tensors, h: Tensors, state: State, noise: Tensors) -> tuple[Tensor, State]:
        """Return output and new state of `update`, which gets its gates by name and no noise."""
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
        """Return the recurrence to unroll; wrappers of the cell modify it and pass it to `unroll_by`.

        Args:
            around: wraps the cell's update in a different one, which adds no parameters.
            noise: tensors (T, B, any width) that the update gets step by step.
            recurrent_mask: (B, H), what the first state is multiplied with before the recurrent product.
            history_mask: the former name of `recurrent_mask`, kept until version 0.2 for plugins that use them.
        """
        update: Update = self._named_update if around is None else around(self._named_update)
        return Recurrence(update, noise, history_mask if recurrent_mask is None else recurrent_mask)

    def from_input(self, inputs: Tensor) -> list[Tensor]:
        """Return the gates' pre-activations from the input, tensors (..., n*H), of (..., input_size).

        They are one tensor (..., G*H), or with a `highway` that passes the input two: (..., (G-1)*H) and (..., H).
        """
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
        if self.recurrent:
            # (B, H) by (G*H, H) transposed: (B, G*H), cut into G gates (B, H).
            product = linear(recurrence.recurrent_input(state, dtype), self.weight_hh, self.bias_hh)
            h = cut_gates([product], self.hidden_size)
        with torch.autocast(inputs.device.type, enabled=False):
            x = cut_gates(from_input, self.hidden_size)
            output, new = recurrence.rows(x, h, state, recurrence.noise_at(0))
        return output.to(dtype), new

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self.unroll(inputs, state)

    def unroll(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence by the loop over `update`: what `forward` does, unless a subclass has a fused kernel.

        A kernel's `forward` falls back on it, and the conformance kit holds the two against each other.

        Args:
            inputs: (B, T, input_size), T at least 1.
            state: as `state_sizes`, each (B, H).

        Returns:
            The outputs (B, T, H) and the state after the last position.
        """
        return self.unroll_by(self.recurrence(), inputs, state)

    def unroll_by(self, recurrence: Recurrence, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Unroll a modified recurrence over a whole sequence, as the wrappers for zoneout and recurrent dropout do.

        Args:
            recurrence: what `recurrence` made; its noise has T positions.
            inputs: (B, T, input_size), T at least 1.
            state: as `state_sizes`, each (B, H).

        Returns:
            The outputs (B, T, H) and the state after the last position.
        """
        # Time first: what the loop takes and gives at each step is then one piece of memory.
        from_input = self.from_input(inputs.transpose(0, 1))
        products = (self.weight_hh, self.bias_hh) if self.recurrent else (None, None)
        outputs, last = unroll(recurrence, from_input, state, *products)
        return outputs.transpose(0, 1), last

    def prepare_for_inference(self, precision: InferencePrecision) -> Cell:
        """Return the cell with its products packed or quantised; itself if a subclass overrides what they replace."""
        return PreparedCell.of(self, precision) if self._has_own_products() else self

    @property
    def piece_table_width(self) -> int:
        """The gates' width, G*H; 0 if the input is passed on as it is, or a subclass overrides what a table replaces."""
        return 0 if self.passes_input or not self._has_own_products() else len(self.weight_ih)

    def prepare_for_pieces(self, embeddings: Tensor, precision: InferencePrecision) -> Cell:
        """Return the cell with the product of each of the embeddings (V, input_size) in a table."""
        if not self.piece_table_width:
            return super().prepare_for_pieces(embeddings, precision)
        return PieceReadingCell.reading(self, embeddings, precision)

    def _has_own_products(self) -> bool:
        # A prepared cell has the two products and the update, and nothing that a subclass may put around them.
        kind = type(self)
        return all(getattr(kind, name) is getattr(GatedCell, name) for name in REPLACED_IN_INFERENCE)

    # The former names, kept until version 0.2 for plugins that use them.
    sweep, sweep_by = unroll, unroll_by
