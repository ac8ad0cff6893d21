"""Small networks with any cell, attention and wiring, batches, and unusual cells, attentions and encoders."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attended, Attention, Memory, masked_softmax
from nmt_lstm.batching.batch import Batch, SourceBatch, collate, source_batch
from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.encoders.encoder import Encoded, Encoder, token_mean
from nmt_lstm.model.build import build_model
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.batched_product import batched_product
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS
from nmt_lstm.text.special_pieces import END

PIECES = 23
MakeModel = Callable[..., Seq2Seq]
Sentences = list[list[int]]


class LeakyAverage(Cell):
    """A cell with no gates, no `forward` of its own, two states of different widths and outputs wider than either."""

    output_is_state = False

    def __init__(self, input_size: int, hidden_size: int, *, leak: float = 0.5) -> None:
        super().__init__(input_size, hidden_size)
        self.leak = leak
        self.narrow = Linear(input_size + 3, 3)
        self.wide = Linear(input_size + 3, hidden_size)

    @property
    def output_size(self) -> int:
        return self.hidden_size + 3

    @property
    def state_sizes(self) -> dict[str, int]:
        return {"average": 3, "trace": self.hidden_size}

    @property
    def bridge_sizes(self) -> dict[str, int]:
        return {"trace": self.hidden_size}

    def bridged_state(self, projected: State) -> State:
        return projected[0][:, :3] / 2, projected[0]

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        average, trace = state
        both = torch.cat([inputs, average], -1)
        average = torch.tanh(self.narrow(both))
        trace = self.leak * trace + torch.tanh(self.wide(both))
        return torch.cat([trace, average], -1), (average, trace)


class Coverage(Attention):
    """An attention that remembers where it has looked (Tu et al. 2016), with contexts narrower than the memory."""

    recurrent = True

    def __init__(self, *, query_size: int, memory_size: int, strength: float = 1.0) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.strength = strength
        self.key = Linear(memory_size, query_size, bias=False)
        self.value = Linear(memory_size, 5)

    @property
    def context_size(self) -> int:
        return 5

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        return Memory(self.key(source_states), self.value(source_states), source_is_token)

    def initial_state(self, memory: Memory) -> tuple[Tensor, ...]:
        return (memory.keys.new_zeros(memory.is_token.shape),)

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        assert query.shape[1] == 1, "an attention that is recurrent is called step by step"
        assert len(query) == len(state[0]) == len(memory.keys)
        scores = torch.bmm(query, memory.keys.transpose(1, 2)) - self.strength * state[0][:, None]
        weights = masked_softmax(scores, memory.is_token)
        return Attended(torch.bmm(weights, memory.values), weights, (state[0] + weights[:, 0],))


class Mixing(Encoder):
    """An encoder without cells, whose states and summary have different widths; each state depends on all pieces."""

    def __init__(self, input_size: int, dropout: nn.Module | None = None, *, sharpness: float = 1.0) -> None:
        super().__init__(input_size, dropout)
        self.sharpness = sharpness
        self.products = nn.ModuleList([Linear(2 * input_size + 1, 16), Linear(16, 5)])

    @property
    def output_size(self) -> int:
        return 16

    @property
    def summary_size(self) -> int:
        return 5

    def forward(self, embedded: Tensor, is_token: Tensor) -> Encoded:
        scores = self.sharpness * batched_product(embedded, embedded.transpose(1, 2))
        mixed = batched_product(
            masked_softmax(scores, is_token), embedded.masked_fill(~is_token[..., None], 0.0)
        )
        positions = torch.arange(embedded.shape[1], device=embedded.device).to(embedded.dtype)
        positions = positions[None, :, None].expand(len(embedded), -1, 1)
        states = torch.tanh(
            self.products[0](self.dropout(torch.cat([embedded, mixed.to(embedded.dtype), positions], -1)))
        )
        return Encoded(states, is_token, self.products[1](token_mean(states, is_token)))


@pytest.fixture(scope="module", autouse=True)
def unusual_parts() -> Iterator[None]:
    """Registers "leaky_average", "coverage" and "mixing" while the network's tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CELLS._decorated, "leaky_average", LeakyAverage)
        patch.setitem(ATTENTIONS._decorated, "coverage", Coverage)
        patch.setitem(ENCODERS._decorated, "mixing", Mixing)
        yield


def model_settings(
    *,
    cell: str = "lstm",
    attention: str = "bilinear",
    wiring: str = "gnmt",
    encoder: dict[str, Any] | None = None,
    decoder: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    **model: Any,
) -> ModelSettings:
    """Settings of a network of a few hundred weights."""
    return ModelSettings.model_validate(
        {
            "embedding_size": 6,
            "dropout": 0.0,
            "encoder": {"cell": cell, "hidden_size": 8, **(encoder or {})},
            "decoder": {"cell": cell, "hidden_size": 10, "wiring": wiring, **(decoder or {})},
            "attention": {"name": attention, "options": options or {}},
            **model,
        }
    )


@pytest.fixture(scope="session")
def settings_of() -> Callable[..., ModelSettings]:
    """Return `model_settings`."""
    return model_settings


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """Return a function that builds a small network in evaluation mode, with large weights.

    Large weights make outputs depend strongly on all inputs, so that a forbidden dependence shows.
    """

    def make(*, seed: int = 0, dtype: torch.dtype = torch.float64, **named: Any) -> Seq2Seq:
        torch.manual_seed(seed)
        model = build_model(model_settings(**named), PIECES, PIECES).to(dtype)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.5)
        return model.eval()

    return make


def random_sentences(count: int, shortest: int, longest: int, seed: int) -> Sentences:
    """Sentences of regular pieces; the first has the longest length."""
    source = random.Random(seed)
    lengths = [longest] + [source.randint(shortest, longest) for _ in range(count - 1)]
    return [[source.randrange(END + 1, PIECES) for _ in range(length)] for length in lengths]


@pytest.fixture(scope="session")
def sentences() -> Callable[..., Sentences]:
    """Return a function that draws sentences."""

    def draw(count: int = 3, shortest: int = 1, longest: int = 6, seed: int = 0) -> Sentences:
        return random_sentences(count, shortest, longest, seed)

    return draw


@pytest.fixture(scope="session")
def batch() -> Batch:
    """Four pairs of different lengths on both sides."""
    return collate(random_sentences(4, 1, 6, 1), random_sentences(4, 2, 5, 2))


@pytest.fixture(scope="session")
def sources() -> SourceBatch:
    """Three source sentences of different lengths."""
    return source_batch(random_sentences(3, 1, 6, 3))


class Halving(Dropout):
    """Halves its inputs, so that results show where dropout is applied."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs / 2


@pytest.fixture
def halving() -> Dropout:
    """A module to replace a dropout with; it halves its inputs."""
    return Halving(0.0)


Steps = Callable[[Seq2Seq, Batch], Sequence[Any]]


@pytest.fixture(scope="session")
def walk() -> Steps:
    """Return a function that reads a batch's targets in the steps of search, and returns the steps."""

    def walk(model: Seq2Seq, batch: Batch) -> list[Any]:
        state = model.start(model.encode(batch.source))
        steps = []
        for previous in batch.target_inputs.unbind(1):
            steps.append(model.step(previous, state))
            state = steps[-1].state
        return steps

    return walk
