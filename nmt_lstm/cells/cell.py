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

    A cell is never told about lengths: padding stands at the end, where a causal cell cannot see it. It keeps
    nothing between calls: states are values, passed and returned.

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
    """

    output_is_state: bool = True
    """Whether the output is the first state; a cell whose output is not carried on says False."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        if input_size < 1 or hidden_size < 1:
            raise ValueError(
                f"A cell's sizes are at least 1; got input_size={input_size}, hidden_size={hidden_size}."
            )
        self.input_size = input_size
        self.hidden_size = hidden_size

    @property
    def output_size(self) -> int:
        """Width of the outputs."""
        return self.hidden_size

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """Names and widths of the state's tensors, in order; a property, since widths depend on the sizes."""
        return {"hidden": self.hidden_size}

    @property
    def bridge_sizes(self) -> Mapping[str, int]:
        """Names and widths of what the bridge makes of the encoder's summary: the state, unless the cell says otherwise."""
        return self.state_sizes

    def bridged_state(self, parts: State) -> State:
        """Return the first state of what the bridge made: as `bridge_sizes`, each (B, width), between -1 and 1."""
        return parts

    def initial_state(self, batch_size: int) -> State:
        """Return the state before a first position, where no bridge makes it: that of zeros, like the cell's parameters."""
        like = next(self.parameters())
        return self.bridged_state(
            tuple(like.new_zeros(batch_size, width) for width in self.bridge_sizes.values())
        )

    def reset_parameters(self) -> None:
        """Draw the parameters again, as the constructor does.

        This draws those of the modules inside, each by its own `reset_parameters`. A cell with an `nn.Parameter` of its own
        overrides it.
        """
        _reset_modules_of(self)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take one position.

        Args:
            inputs: (B, input_size).
            state: as `state_sizes`, each (B, width).

        Returns:
            The output (B, output_size) and the new state.
        """
        raise MissingMethodError(self, "defines neither step nor update; a cell needs one of them")

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Take a whole sequence.

        Args:
            inputs: (B, T, input_size), T at least 1.
            state: as `state_sizes`, each (B, width).

        Returns:
            The outputs (B, T, output_size) and the state after the last position.

        Raises:
            ValueError: the sequence has no position, or the inputs are not three-dimensional.
        """
        check_sequence(self, inputs)
        outputs = []
        for position in inputs.unbind(1):
            output, state = _checked_step(self, self.step(position, state), len(inputs))
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def prepare_for_inference(self, precision: InferencePrecision) -> Cell:
        """Return a cell for inference on a processor that takes and gives the same, faster; by default this one, in float32.

        A cell that has a faster form overrides this and leaves itself as it is. The form must have the step of the
        cell that it is asked of: a subclass that overrides `step` gets no form that was written for its base.

        Args:
            precision: that products may be computed in.
        """
        return self

    @property
    def piece_table_width(self) -> int:
        """Width of what this cell makes of an input before anything else, if pieces can be looked up in a table of it.

        0 by default: the cell reads vectors. With any other width, `prepare_for_pieces` must work.
        """
        return 0

    def prepare_for_pieces(self, embeddings: Tensor, precision: InferencePrecision) -> Cell:
        """Return a cell as `prepare_for_inference` does, but one whose inputs are pieces, (B,) or (B, T).

        Args:
            embeddings: (V, input_size): what the pieces stand for; on the "meta" device, where no values matter yet.
            precision: of products, and of the table.
        """
        raise TypeError(f"{type(self).__name__} reads vectors alone; its piece_table_width is 0.")


def _reset_modules_of(module: nn.Module) -> None:
    for child in module.children():
        reset = getattr(
            child, "reset_parameters", None
        )  # torch's modules have it by convention, not by a base
        if callable(reset):
            reset()
        else:
            _reset_modules_of(child)


def check_sequence(cell: Cell, inputs: Tensor) -> None:
    """Raise ValueError unless inputs have the shape (B, T, input_size) with T at least 1.

    Args:
        cell: whose `input_size` is expected; the message names its class.
        inputs: what `forward` was given.
    """
    if inputs.dim() != 3 or inputs.shape[1] == 0 or inputs.shape[2] != cell.input_size:
        raise ValueError(
            f"{type(cell).__name__} takes inputs of shape (batch, time of 1 or more, {cell.input_size}); "
            f"got {tuple(inputs.shape)}."
        )


def _checked_step(cell: Cell, result: Any, rows: int) -> tuple[Tensor, State]:
    """Return what an author's `step` returned.

    Raises:
        PluginResultError: it is not an output and a tuple of states in the widths that the cell declares.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        raise PluginResultError(cell, "step", f"{_what(result)}; expected output, state")
    output, state = result
    if not isinstance(state, tuple):
        problem = f"{_what(state)} as its state; expected a tuple: return output, (state,)"
        raise PluginResultError(cell, "step", problem)
    sizes = cell.state_sizes
    if len(state) != len(sizes):
        problem = f"{len(state)} tensors as its state; expected {len(sizes)}: {', '.join(sizes)}"
        raise PluginResultError(cell, "step", problem)
    declared = {"output": cell.output_size, **sizes}
    for (name, width), tensor in zip(declared.items(), (output, *state), strict=True):
        shape = tuple(tensor.shape) if isinstance(tensor, Tensor) else _what(tensor)
        if shape != (rows, width):
            raise PluginResultError(
                cell, "step", f"{shape} as '{name}'; expected a tensor of shape {(rows, width)}"
            )
    return output, state


def _what(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
