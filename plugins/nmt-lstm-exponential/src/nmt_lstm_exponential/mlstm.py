"""The LSTM with a matrix memory."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nmt_lstm import Cell, State, check_sequence, linear, sigmoid
from nmt_lstm_exponential.log_sigmoid import log_sigmoid

__all__ = ["MLSTM"]

# Positions computed at once: work within a chunk grows with its length, work between chunks with their number.
CHUNK = 64
# Exponents up to here have squares in float32.
LARGEST = 40.0


class _Inputs(NamedTuple):
    """What the inputs give, per head; N is heads times sentences."""

    query: Tensor
    """(N, T, D)."""
    key: Tensor
    """(N, T, D), divided by the root of D."""
    value: Tensor
    """(N, T, D)."""
    into: Tensor
    """(N, T), logarithm of the input gate."""
    forget: Tensor
    """(N, T), logarithm of the forget gate."""

    def part(self, start: int, end: int) -> _Inputs:
        """Return the positions from `start` to before `end`."""
        return _Inputs(*(tensor[:, start:end] for tensor in self))


class _Memory(NamedTuple):
    """The state, per head."""

    matrix: Tensor
    """(N, D, D): values by keys."""
    normaliser: Tensor
    """(N, D)."""
    maximum: Tensor
    """(N,), logarithm of the factor that both are without."""


class MLSTM(Cell):
    r"""mLSTM: a matrix as memory, written as value and key and read by a query; sequences are computed in parallel.

    Equations, for each head of width D::

        query  q = W_q x + b_q;   key k = (W_k x + b_k) / sqrt(D);   value v = W_v x + b_v
        input  i = exp(w_i . x + b_i);   forget f = sigmoid(w_f . x + b_f)
        memory C' = f C + i v k^T
        normaliser n' = f n + i k
        output h = sigmoid(W_o x + b_o) * (C' q) / max(|n' . q|, 1)

    C and n are kept without a common factor exp(m), m' = max(log f + m, log i), so that no exponential leaves its range.
    At the start the bridge writes one pair of value and key.

    Source: Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory".

    Args:
        input_size: width of the inputs.
        hidden_size: width of the outputs, a multiple of `heads`.
        heads: number of heads; the memory has hidden_size * hidden_size / heads values.
        forget_bias: initial bias of the forget gates.
    """

    output_is_state = False

    def __init__(
        self, input_size: int, hidden_size: int, *, heads: int = 8, forget_bias: float = 3.0
    ) -> None:
        super().__init__(input_size, hidden_size)
        if heads < 1 or hidden_size % heads:
            raise ValueError(f"heads={heads} does not divide the hidden width {hidden_size}.")
        self.heads = heads
        self.forget_bias = forget_bias
        rows = 4 * hidden_size + 2 * heads
        self.weight = nn.Parameter(torch.empty(rows, input_size))
        self.bias = nn.Parameter(torch.empty(rows))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as the constructor does."""
        bound = math.sqrt(6.0 / (self.input_size + self.hidden_size))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.zeros_(self.bias)
        nn.init.constant_(self.bias[-self.heads :], self.forget_bias)

    @property
    def state_sizes(self) -> dict[str, int]:
        """The matrix, the normaliser and the maximum of all heads."""
        matrix = self.hidden_size * self.hidden_size // self.heads
        return {"matrix": matrix, "normaliser": self.hidden_size, "maximum": self.heads}

    @property
    def bridge_sizes(self) -> dict[str, int]:
        """A value and a key."""
        return {"value": self.hidden_size, "key": self.hidden_size}

    def bridged_state(self, projected: State) -> State:
        """Return a memory in which one pair is written."""
        value, key = (part.unflatten(1, (self.heads, -1)) for part in projected)
        key = key / math.sqrt(key.shape[-1])
        matrix = value[..., None] * key[..., None, :]
        return matrix.flatten(1), key.flatten(1), key.new_zeros(key.shape[0], self.heads)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size) to (B, H)."""
        outputs, last = self._take(inputs[:, None], state)
        return outputs[:, 0], last

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence, some positions at once: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        return self._take(inputs, state)

    def _take(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        batch, length = inputs.shape[:2]
        products = linear(inputs, self.weight, self.bias)
        hidden = self.hidden_size
        *vectors, output, into, forget = products.split([hidden] * 4 + [self.heads] * 2, -1)
        query, key, value = (self._by_head(vector) for vector in vectors)
        wide = torch.promote_types(products.dtype, torch.float32)
        given = _Inputs(
            query,
            key / math.sqrt(key.shape[-1]),
            value,
            into.to(wide).transpose(1, 2).flatten(0, 1),
            log_sigmoid(forget.to(wide)).transpose(1, 2).flatten(0, 1),
        )
        width = hidden // self.heads
        matrix, normaliser, maximum = (part.to(wide) for part in state)
        memory = _Memory(matrix.view(-1, width, width), normaliser.view(-1, width), maximum.flatten())
        outputs = []
        take = _position if length == 1 else _chunk
        for start in range(0, length, CHUNK):
            output_part, memory = take(given.part(start, start + CHUNK), memory)
            outputs.append(output_part)
        read = torch.cat(outputs, 1).view(batch, self.heads, length, width).transpose(1, 2).flatten(2)
        shown = sigmoid(output.to(wide)) * read
        last = (
            memory.matrix.view(batch, -1),
            memory.normaliser.view(batch, -1),
            memory.maximum.view(batch, -1),
        )
        return shown.to(products.dtype), last

    def _by_head(self, vectors: Tensor) -> Tensor:
        """Return (N, T, D) of (B, T, H)."""
        by_head: Tensor = vectors.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return by_head.flatten(0, 1)


def _position(given: _Inputs, memory: _Memory) -> tuple[Tensor, _Memory]:
    """Write and read one position; return (N, 1, D) and the memory after it."""
    query, key, value = (part[:, 0].to(memory.matrix.dtype) for part in given[:3])
    before = given.forget[:, 0] + memory.maximum
    maximum = torch.maximum(before, given.into[:, 0])
    forget, into = torch.exp(before - maximum)[:, None], torch.exp(given.into[:, 0] - maximum)[:, None]
    matrix = torch.addcmul(forget[..., None] * memory.matrix, (into * value)[..., None], key[:, None])
    normaliser = forget * memory.normaliser + into * key
    seen = (normaliser * query).sum(1, keepdim=True)
    outputs = torch.bmm(matrix, query[..., None])[..., 0] / torch.maximum(seen.abs(), _one(maximum)[:, None])
    return outputs[:, None], _Memory(matrix, normaliser, maximum)


def _one(maximum: Tensor) -> Tensor:
    """Return 1 without the factor exp(maximum); where all that was ever written is tiny, less, but outputs are 0 there."""
    return torch.exp(-maximum.clamp_min(-LARGEST))


def _chunk(given: _Inputs, memory: _Memory) -> tuple[Tensor, _Memory]:
    """Read and write some positions at once; return (N, L, D) and the memory after the last."""
    length = given.into.shape[1]
    # Logarithm of what is left at a position of what was there before the first.
    left = given.forget.cumsum(1)
    later = torch.ones(length, length, dtype=torch.bool, device=left.device).triu(1)
    # (N, L, L): logarithm of what is left, at a position (row), of what was written at another (column).
    between = (left[:, :, None] - left[:, None] + given.into[:, None]).masked_fill(later, -torch.inf)
    before = left + memory.maximum[:, None]
    maximum = torch.maximum(between.amax(2), before)
    weights = torch.bmm(given.query, given.key.transpose(1, 2)) * torch.exp(between - maximum[..., None])
    share = torch.exp(before - maximum)[..., None]
    read = torch.bmm(weights.to(given.value.dtype), given.value).to(left.dtype)
    read = read + share * torch.bmm(given.query.to(left.dtype), memory.matrix.transpose(1, 2))
    seen = weights.sum(2, keepdim=True)
    seen = seen + share * torch.bmm(given.query.to(left.dtype), memory.normaliser[..., None])
    outputs = read / torch.maximum(seen.abs(), _one(maximum)[..., None])
    # What is left of each position's writing after the last one.
    kept = torch.exp(between[:, -1] - maximum[:, -1:])[..., None]
    written = (kept * given.value).transpose(1, 2)
    matrix = share[:, -1:] * memory.matrix + torch.bmm(written, given.key.to(written.dtype))
    normaliser = share[:, -1] * memory.normaliser + (kept * given.key).sum(1)
    return outputs, _Memory(matrix, normaliser, maximum[:, -1])
