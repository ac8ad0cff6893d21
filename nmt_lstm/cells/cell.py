"""The protocol of every recurrent cell: one layer, one direction, left to right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nmt_lstm.errors import MissingMethodError, PluginResultError
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.recurrence.recurrence import State

__all__ = ["Cell", "State", "check_sequence"]


class Cell(nn.Module):
    """Base of all cells.

    A cell does not know the lengths of sequences: padding stands at the end, where a causal cell cannot see it. It keeps
    nothing between calls: states are values, passed in and returned.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
    """

    output_is_state: bool = True
    """Whether the output is the first state; False for a cell whose output is not part of its state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        if input_size < 1 or hidden_size < 1:
            raise ValueError(
                f"a cell's sizes must be at least 1; got input_size={input_size}, hidden_size={hidden_size}."
            )
        self.input_size = input_size
        self.hidden_size = hidden_size

    @property
    def output_size(self) -> int:
        """Width of the outputs."""
        return self.hidden_size

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """Names and widths of the state's tensors, in order."""
        return {"hidden": self.hidden_size}

    @property
    def bridge_sizes(self) -> Mapping[str, int]:
        """Names and widths of the tensors that the bridge projects the encoder's summary to; by default the state's."""
        return self.state_sizes

    def bridged_state(self, projected: State) -> State:
        """Return the initial state, each (B, width), made from the bridge's tensors.

        Args:
            projected: tensors as `bridge_sizes`, each (B, width), with values between -1 and 1.
        """
        return projected

    def initial_state(self, batch_size: int) -> State:
        """Return the initial state, each (B, width), where there is no bridge: `bridged_state` of zeros."""
        like = next(self.parameters())
        return self.bridged_state(
            tuple(like.new_zeros(batch_size, width) for width in self.bridge_sizes.values())
        )

    def reset_parameters(self) -> None:
        """Draw the parameters again, as the constructor does.

        This calls `reset_parameters` of each module inside. A cell with an `nn.Parameter` of its own overrides it.
        """
        _reset_modules(self)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position.

        Args:
            inputs: (B, input_size).
            state: as `state_sizes`, each (B, width).

        Returns:
            The output (B, output_size) and the new state.
        """
        raise MissingMethodError(self, "defines neither step nor update; a cell needs one of them")

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence.

        Args:
            inputs: (B, T, input_size), T at least 1.
            state: as `state_sizes`, each (B, width).

        Returns:
            The outputs (B, T, output_size) and the state after the last position.

        Raises:
            ValueError: the inputs have a different shape, or T is 0.
            PluginResultError: the subclass's `step` returned something else than an output and a state.
        """
        check_sequence(self, inputs)
        outputs = []
        for position in inputs.unbind(1):
            output, state = _checked_step(self, self.step(position, state), len(inputs))
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def prepare_for_inference(self, precision: InferencePrecision) -> Cell:
        """Return a cell that computes the same faster, for inference on a CPU; by default this cell itself, in float32.

        A cell with a faster form overrides this and does not change itself. The form must compute what this cell's `step`
        computes: a subclass that overrides `step` must not get a form that was written for its base.

        Args:
            precision: in which products may be computed.
        """
        return self

    @property
    def piece_table_width(self) -> int:
        """Width of the cell's product with the input, if a table may hold that product for each piece.

        0 by default: the cell reads vectors. With any other width, `prepare_for_pieces` must work.
        """
        return 0

    def prepare_for_pieces(self, embeddings: Tensor, precision: InferencePrecision) -> Cell:
        """Return a cell as `prepare_for_inference` does, but one whose inputs are pieces, (B,) or (B, T).

        Args:
            embeddings: (V, input_size), of the pieces; on the "meta" device while only shapes matter.
            precision: of products, and of the table.

        Raises:
            TypeError: the cell's `piece_table_width` is 0.
        """
        raise TypeError(f"{type(self).__name__} reads vectors, not pieces: its piece_table_width is 0.")


def _reset_modules(module: nn.Module) -> None:
    for child in module.children():
        # torch's modules have this method by convention; no base class declares it.
        reset = getattr(child, "reset_parameters", None)
        if callable(reset):
            reset()
        else:
            _reset_modules(child)


def check_sequence(cell: Cell, inputs: Tensor) -> None:
    """Raise ValueError unless inputs have the shape (B, T, input_size) with T at least 1.

    Args:
        cell: its `input_size` is expected; the message names its class.
        inputs: the argument of `forward`.
    """
    if inputs.dim() != 3 or inputs.shape[1] == 0 or inputs.shape[2] != cell.input_size:
        raise ValueError(
            f"{type(cell).__name__} needs inputs of shape (batch, time, {cell.input_size}) with at least one position; "
            f"got {tuple(inputs.shape)}."
        )


def _checked_step(cell: Cell, result: Any, rows: int) -> tuple[Tensor, State]:
    """Return the output and state that an author's `step` returned.

    Raises:
        PluginResultError: they are not an output and a tuple of states with the widths that the cell declares.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        raise PluginResultError(cell, "step", f"{_description(result)}; expected output, state")
    output, state = result
    if not isinstance(state, tuple):
        problem = f"{_description(state)} as its state; expected a tuple: return output, (state,)"
        raise PluginResultError(cell, "step", problem)
    sizes = cell.state_sizes
    if len(state) != len(sizes):
        problem = f"{len(state)} tensors as its state; expected {len(sizes)}: {', '.join(sizes)}"
        raise PluginResultError(cell, "step", problem)
    declared = {"output": cell.output_size, **sizes}
    for (name, width), tensor in zip(declared.items(), (output, *state), strict=True):
        shape = tuple(tensor.shape) if isinstance(tensor, Tensor) else _description(tensor)
        if shape != (rows, width):
            raise PluginResultError(
                cell, "step", f"{shape} as '{name}'; expected a tensor of shape {(rows, width)}"
            )
    return output, state


def _description(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
