"""What the first call of a part returns, told in words where it is not what the framework unpacks."""

from __future__ import annotations

from torch import Tensor

from nmt_lstm.attention.attention import Attended, Memory
from nmt_lstm.testing.failure import ConformanceFailure

__all__ = ["check_attended", "check_memory", "check_stepped"]


def check_stepped(who: str, result: object) -> None:
    """Raise ConformanceFailure unless a cell's `forward` or `step` returned an output and a tuple of tensors."""
    hint = "A state is always a tuple, also of one tensor: return output, (state,)"
    if not isinstance(result, tuple) or len(result) != 2:
        raise ConformanceFailure(f"{who} returned {_what(result)}, expected a pair of output and state", hint)
    output, state = result
    if not isinstance(output, Tensor):
        raise ConformanceFailure(f"the output from {who} is {_what(output)}, expected a tensor", hint)
    if not isinstance(state, tuple) or not all(isinstance(part, Tensor) for part in state):
        raise ConformanceFailure(f"the state from {who} is {_what(state)}, expected a tuple of tensors", hint)


def check_memory(memory: object) -> None:
    """Raise ConformanceFailure unless an attention's `prepare` returned a Memory of tensors."""
    hint = "Return Memory(keys, values, source_is_token); most attentions define project_keys instead of prepare."
    if not isinstance(memory, Memory) or not all(isinstance(part, Tensor) for part in memory):
        raise ConformanceFailure(f"prepare returned {_what(memory)}, expected a Memory of tensors", hint)


def check_attended(attended: object) -> None:
    """Raise ConformanceFailure unless an attention's `forward` returned an Attended with a tuple as its state."""
    hint = "Return Attended(context, weights, state); most attentions define scores instead of forward."
    if not isinstance(attended, Attended):
        raise ConformanceFailure(f"forward returned {_what(attended)}, expected an Attended", hint)
    parts: tuple[object, ...] = (attended.context, attended.weights)
    if not all(isinstance(part, Tensor) for part in parts):
        raise ConformanceFailure(
            f"context and weights are {_what(attended.context)} and {_what(attended.weights)}, expected tensors",
            hint,
        )
    if not isinstance(attended.state, tuple):
        raise ConformanceFailure(f"the state is {_what(attended.state)}, expected a tuple", hint)


def _what(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple):
        return f"a tuple of {', '.join(type(part).__name__ for part in value) or 'nothing'}"
    return f"a value of type {type(value).__name__}"
