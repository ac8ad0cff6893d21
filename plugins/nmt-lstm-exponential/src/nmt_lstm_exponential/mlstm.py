"""The LSTM with a matrix memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm import Cell, State, check_sequence, linear, sigmoid
from nmt_lstm_exponential.log_sigmoid import log_sigmoid

__all__ = ["MLSTM"]

# Positions computed at once: the work within chunks grows with their length, the work between them with their number.
CHUNK = 64
# Without gradients all chunks have this length, so that a position's bits do not depend on how far sentences are padded.
INFERENCE_CHUNK = 8
# Exponentials up to this exponent have squares in float32.
MAX_EXPONENT = 40.0


class _Projections(NamedTuple):
    """Projections of the inputs, per head; N is heads times sentences, T positions, D width of a head."""

    query: Tensor
    """(N, T, D)."""
    key: Tensor
    """(N, T, D), divided by the root of D."""
    value: Tensor
    """(N, T, D)."""
    log_input: Tensor
    """(N, T), logarithm of the input gate."""
    log_forget: Tensor
    """(N, T), logarithm of the forget gate."""

    def chunk(self, start: int, end: int) -> _Projections:
        """Return the positions from `start` to before `end`."""
        return _Projections(*(tensor[:, start:end] for tensor in self))


class _Memory(NamedTuple):
    """The state, per head."""

    matrix: Tensor
    """(N, D, D): values by keys."""
    normaliser: Tensor
    """(N, D)."""
    maximum: Tensor
    """(N,), logarithm of the factor by which both are divided."""


_Process = Callable[[_Projections, _Memory], tuple[Tensor, _Memory]]


class MLSTM(Cell):
    r"""mLSTM: a matrix memory, written with keys and values and read with queries; sequences are computed in parallel.

    Equations, for each head of width D::

        query  q = W_q x + b_q;   key k = (W_k x + b_k) / sqrt(D);   value v = W_v x + b_v
        input  i = exp(w_i . x + b_i);   forget f = sigmoid(w_f . x + b_f)
        memory C' = f C + i v k^T
        normaliser n' = f n + i k
        output h = sigmoid(W_o x + b_o) * (C' q) / max(|n' . q|, 1)

    C and n are stored divided by exp(m), m' = max(log f + m, log i), so that no exponential leaves its range. At the start
    the bridge writes one pair of value and key.

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
            raise ValueError(f"heads={heads} must be at least 1 and divide the hidden width {hidden_size}.")
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
        """One value and one key."""
        return {"value": self.hidden_size, "key": self.hidden_size}

    def bridged_state(self, projected: State) -> State:
        """Return a memory that holds one pair of value and key."""
        value, key = (tensor.unflatten(1, (self.heads, -1)) for tensor in projected)
        key = key / math.sqrt(key.shape[-1])
        matrix = value[..., None] * key[..., None, :]
        return matrix.flatten(1), key.flatten(1), key.new_zeros(key.shape[0], self.heads)

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position: (B, input_size) to (B, H)."""
        outputs, last = self._process(inputs[:, None], state, _process_position, chunk=1)
        return outputs[:, 0], last

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence in chunks of positions: (B, T, input_size) to (B, T, H)."""
        check_sequence(self, inputs)
        if torch.is_grad_enabled():
            return self._process(inputs, state, _process_chunk, chunk=CHUNK)
        return self._process(inputs, state, _process_full_chunk, chunk=INFERENCE_CHUNK)

    def _process(
        self, inputs: Tensor, state: State, process: _Process, *, chunk: int
    ) -> tuple[Tensor, State]:
        batch, length = inputs.shape[:2]
        products = linear(inputs, self.weight, self.bias)
        hidden = self.hidden_size
        *vectors, output, log_input, forget = products.split([hidden] * 4 + [self.heads] * 2, -1)
        query, key, value = (self._by_head(vector) for vector in vectors)
        dtype = torch.promote_types(products.dtype, torch.float32)
        projections = _Projections(
            query,
            key / math.sqrt(key.shape[-1]),
            value,
            log_input.to(dtype).transpose(1, 2).flatten(0, 1),
            log_sigmoid(forget.to(dtype)).transpose(1, 2).flatten(0, 1),
        )
        width = hidden // self.heads
        matrix, normaliser, maximum = (tensor.to(dtype) for tensor in state)
        memory = _Memory(matrix.view(-1, width, width), normaliser.view(-1, width), maximum.flatten())
        chunks = []
        for start in range(0, length, chunk):
            read, memory = process(projections.chunk(start, start + chunk), memory)
            chunks.append(read)
        memory_outputs = (
            torch.cat(chunks, 1).view(batch, self.heads, length, width).transpose(1, 2).flatten(2)
        )
        outputs = sigmoid(output.to(dtype)) * memory_outputs
        last = (
            memory.matrix.view(batch, -1),
            memory.normaliser.view(batch, -1),
            memory.maximum.view(batch, -1),
        )
        return outputs.to(products.dtype), last

    def _by_head(self, vectors: Tensor) -> Tensor:
        """Return (N, T, D) of (B, T, H)."""
        by_head: Tensor = vectors.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return by_head.flatten(0, 1)


def _process_position(projections: _Projections, memory: _Memory) -> tuple[Tensor, _Memory]:
    """Write and read one position; return outputs (N, 1, D) and the memory after it."""
    query, key, value = (tensor[:, 0].to(memory.matrix.dtype) for tensor in projections[:3])
    log_input = projections.log_input[:, 0]
    log_decay = projections.log_forget[:, 0] + memory.maximum
    maximum = torch.maximum(log_decay, log_input)
    forget, input_gate = torch.exp(log_decay - maximum)[:, None], torch.exp(log_input - maximum)[:, None]
    matrix = torch.addcmul(forget[..., None] * memory.matrix, (input_gate * value)[..., None], key[:, None])
    normaliser = forget * memory.normaliser + input_gate * key
    divisor = torch.maximum((normaliser * query).sum(1, keepdim=True).abs(), _one(maximum)[:, None])
    outputs = torch.bmm(matrix, query[..., None])[..., 0] / divisor
    return outputs[:, None], _Memory(matrix, normaliser, maximum)


def _one(maximum: Tensor) -> Tensor:
    """Return 1 divided by exp(maximum); less if everything written so far is tiny, but then outputs are 0."""
    return torch.exp(-maximum.clamp_min(-MAX_EXPONENT))


def _process_full_chunk(projections: _Projections, memory: _Memory) -> tuple[Tensor, _Memory]:
    """Return what `_process_chunk` returns; positions that write nothing fill the chunk."""
    length = projections.log_input.shape[1]
    missing = INFERENCE_CHUNK - length
    if missing:
        query, key, value, log_input, log_forget = projections
        rows = (0, 0, 0, missing)
        projections = _Projections(
            functional.pad(query, rows),
            functional.pad(key, rows),
            functional.pad(value, rows),
            functional.pad(log_input, (0, missing), value=-torch.inf),
            functional.pad(log_forget, (0, missing)),
        )
    outputs, memory = _process_chunk(projections, memory)
    return outputs[:, :length], memory


def _process_chunk(projections: _Projections, memory: _Memory) -> tuple[Tensor, _Memory]:
    """Write and read L positions at once; return outputs (N, L, D) and the memory after the last."""
    query, key, value, log_input, log_forget = projections
    length = log_input.shape[1]
    # (N, L): logarithm of the decay from before the chunk to each position.
    log_decay = log_forget.cumsum(1)
    is_later = torch.ones(length, length, dtype=torch.bool, device=log_decay.device).triu(1)
    # (N, L, L): logarithm of the weight, at a position (row), of what was written at an earlier one (column).
    log_weights = log_decay[:, :, None] - log_decay[:, None] + log_input[:, None]
    log_weights = log_weights.masked_fill(is_later, -torch.inf)
    log_memory = log_decay + memory.maximum[:, None]
    maximum = torch.maximum(log_weights.amax(2), log_memory)
    weights = torch.bmm(query, key.transpose(1, 2)) * torch.exp(log_weights - maximum[..., None])
    memory_share = torch.exp(log_memory - maximum)[..., None]
    # Read what the chunk itself wrote, and what the memory held before.
    wide_query = query.to(log_decay.dtype)
    read = torch.bmm(weights.to(value.dtype), value).to(log_decay.dtype)
    read = read + memory_share * torch.bmm(wide_query, memory.matrix.transpose(1, 2))
    normaliser_read = weights.sum(2, keepdim=True)
    normaliser_read = normaliser_read + memory_share * torch.bmm(wide_query, memory.normaliser[..., None])
    outputs = read / torch.maximum(normaliser_read.abs(), _one(maximum)[..., None])
    # (N, L, 1): weight of each position's pair after the last position.
    last_weights = torch.exp(log_weights[:, -1] - maximum[:, -1:])[..., None]
    written = (last_weights * value).transpose(1, 2)
    matrix = memory_share[:, -1:] * memory.matrix + torch.bmm(written, key.to(written.dtype))
    normaliser = memory_share[:, -1] * memory.normaliser + (last_weights * key).sum(1)
    return outputs, _Memory(matrix, normaliser, maximum[:, -1])
