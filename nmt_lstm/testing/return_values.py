"""Checks of the types that a cell or attention returns, with messages for what the framework could not unpack."""

from __future__ import annotations

from torch import Tensor

from nmt_lstm.attention.attention import Attended, Memory
from nmt_lstm.testing.failure import ConformanceFailure

__all__ = ["check_attended", "check_memory", "check_output_and_state"]


def check_output_and_state(method: str, result: object) -> None:
    """Raise ConformanceFailure unless a cell's `forward` or `step` returned an output and a tuple of tensors."""
    hint = "A state is always a tuple, even of a single tensor: return output, (state,)"
    if not isinstance(result, tuple) or len(result) != 2:
        raise ConformanceFailure(
            f"{method} returned {_describe(result)}, expected a pair of output and state", hint
        )
    output, state = result
    if not isinstance(output, Tensor):
        raise ConformanceFailure(f"the output from {method} is {_describe(output)}, expected a tensor", hint)
    if not isinstance(state, tuple) or not all(isinstance(tensor, Tensor) for tensor in state):
        raise ConformanceFailure(
            f"the state from {method} is {_describe(state)}, expected a tuple of tensors", hint
        )


def check_memory(memory: object) -> None:
    """Raise ConformanceFailure unless an attention's `prepare` returned a Memory of tensors."""
    hint = "Return Memory(keys, values, source_is_token); most attentions define project_keys instead of prepare."
    if not isinstance(memory, Memory) or not all(isinstance(tensor, Tensor) for tensor in memory):
        raise ConformanceFailure(f"prepare returned {_describe(memory)}, expected a Memory of tensors", hint)


def check_attended(attended: object) -> None:
    """Raise ConformanceFailure unless an attention's `forward` returned an Attended with a tuple as its state."""
    hint = "Return Attended(context, weights, state); most attentions define scores instead of forward."
    if not isinstance(attended, Attended):
        raise ConformanceFailure(f"forward returned {_describe(attended)}, expected an Attended", hint)
    tensors: tuple[object, ...] = (attended.context, attended.weights)
    if not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise ConformanceFailure(
            f"context and weights are {_describe(attended.context)} and {_describe(attended.weights)}, expected tensors",
            hint,
        )
    if not isinstance(attended.state, tuple):
        raise ConformanceFailure(f"the state is {_describe(attended.state)}, expected a tuple", hint)


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple):
        return f"a tuple of {', '.join(type(item).__name__ for item in value) or 'nothing'}"
    return f"a value of type {type(value).__name__}"
