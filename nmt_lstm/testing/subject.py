"""The argument of a check: a cell, attention or encoder class, with the options and sizes to build it with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention, Memory
from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.config.schema import AttentionSettings, DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.encoders.encoder import Encoder
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS, Registry

__all__ = ["AttendedQueries", "AttentionSubject", "CellSubject", "EncoderSubject", "Subject", "random_tensor"]

Module = TypeVar("Module", bound=nn.Module)


def random_tensor(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 1) -> Tensor:
    """Return normally distributed values, for a shape and seed the same in every dtype."""
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return values.to(dtype)


def _perturb(module: Module, dtype: torch.dtype, seed: int) -> Module:
    """Return the module in evaluation mode, with noise added to its parameters.

    With initial values, above all zeros, a wrong sign or a missing gradient might not be detected.
    """
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            noise = random_tensor(*parameter.shape, dtype=parameter.dtype, seed=1000 * seed + number)
            parameter.add_(noise, alpha=0.1)
    return module.to(dtype).eval()


@dataclass(frozen=True)
class CellSubject:
    """A cell class, its options and sizes."""

    registry: ClassVar[Registry] = CELLS
    part: type[Cell]
    options: Mapping[str, Any] = field(default_factory=dict)
    input_size: int = 12
    hidden_size: int = 20
    """By default not a multiple of the width of vector instructions, so that the ends of rows are computed differently."""

    @property
    def name(self) -> str:
        """``package.module:Class``."""
        return f"{self.part.__module__}:{self.part.__qualname__}"

    def with_equal_widths(self) -> CellSubject:
        """Return the subject with inputs as wide as the cell, for which some cells skip a projection."""
        return dataclasses.replace(self, input_size=self.hidden_size)

    def build_fresh(self, seed: int) -> Cell:
        """Return a cell as its constructor initializes it; the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.part(self.input_size, self.hidden_size, **self.options)

    def build(self, dtype: torch.dtype = torch.float32, seed: int = 1) -> Cell:
        """Return a cell in evaluation mode, with perturbed parameters; the same for the same seed."""
        return _perturb(self.build_fresh(seed), dtype, seed)

    def inputs(
        self, batch: int = 3, length: int = 5, dtype: torch.dtype = torch.float32, seed: int = 2
    ) -> Tensor:
        """Return random inputs (B, T, input_size)."""
        return random_tensor(batch, length, self.input_size, dtype=dtype, seed=seed)

    def calls(self, cell: Cell) -> list[tuple[Tensor, ...]]:
        """Return the inputs and states of several calls, with different numbers of rows and positions."""
        return [
            (self.inputs(rows, length, seed=rows), *self.state(cell, rows, seed=length))
            for rows, length in ((3, 5), (2, 4), (3, 5))
        ]

    @staticmethod
    def run(cell: Cell, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return all results of a sequence and a step, without gradients, for inputs and a state of `calls`."""
        inputs, *state = tensors
        with torch.no_grad():
            outputs, last = cell(inputs, tuple(state))
            output, after = cell.step(inputs[:, 0], tuple(state))
        return (outputs, *last, output, *after)

    def model_settings(self) -> ModelSettings:
        """Return the settings of a bidirectional model with two layers of the cell."""
        width, options = self.hidden_size, dict(self.options)
        return ModelSettings(
            embedding_size=self.input_size,
            encoder=EncoderSettings(cell=self.name, cell_options=options, layers=2, hidden_size=width),
            decoder=DecoderSettings(cell=self.name, cell_options=options, layers=2, hidden_size=width),
        )

    @staticmethod
    def state(cell: Cell, batch: int = 3, dtype: torch.dtype = torch.float32, seed: int = 3) -> State:
        """Return a state like one from the bridge between encoder and decoder."""
        return cell.bridged_state(
            tuple(
                torch.tanh(random_tensor(batch, width, dtype=dtype, seed=seed + number))
                for number, width in enumerate(cell.bridge_sizes.values())
            )
        )


class AttendedQueries(NamedTuple):
    """The results of an attention for Q queries, computed one after the other if it is recurrent."""

    context: Tensor
    """(B, Q, context_size)."""
    weights: Tensor
    """(B, Q, S)."""
    state: tuple[Tensor, ...]
    """The state after the last query."""


@dataclass(frozen=True)
class AttentionSubject:
    """An attention class, its options and sizes."""

    registry: ClassVar[Registry] = ATTENTIONS
    part: type[Attention]
    options: Mapping[str, Any] = field(default_factory=dict)
    query_size: int = 20
    memory_size: int = 24

    @property
    def name(self) -> str:
        """``package.module:Class``."""
        return f"{self.part.__module__}:{self.part.__qualname__}"

    def build(self, dtype: torch.dtype = torch.float32, seed: int = 1) -> Attention:
        """Return an attention in evaluation mode, with perturbed parameters; the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            attention = self.part(query_size=self.query_size, memory_size=self.memory_size, **self.options)
        return _perturb(attention, dtype, seed)

    def queries(
        self, batch: int = 3, steps: int = 4, dtype: torch.dtype = torch.float32, seed: int = 4
    ) -> Tensor:
        """Return random queries (B, Q, query_size)."""
        return random_tensor(batch, steps, self.query_size, dtype=dtype, seed=seed)

    def source(
        self, lengths: tuple[int, ...] = (6, 4, 1), dtype: torch.dtype = torch.float32, seed: int = 5
    ) -> tuple[Tensor, Tensor]:
        """Return random source states (B, S, memory_size), zero on padding like the encoder's, and is_token (B, S)."""
        is_token = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
        states = random_tensor(len(lengths), max(lengths), self.memory_size, dtype=dtype, seed=seed)
        return states * is_token[..., None], is_token

    def calls(self, attention: Attention) -> list[tuple[Tensor, ...]]:
        """Return the queries and sources of several calls, with different numbers of rows and positions."""
        return [
            (self.queries(len(lengths), steps, seed=steps), *self.source(lengths, seed=len(lengths)))
            for lengths, steps in (((6, 4, 1), 4), ((3, 3), 2), ((6, 4, 1), 4))
        ]

    def run(self, attention: Attention, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return all results, without gradients, for the queries and source of `calls`."""
        queries, source, is_token = tensors
        with torch.no_grad():
            attended = self.attend(attention, queries, attention.prepare(source, is_token))
        return (attended.context, attended.weights, *attended.state)

    def model_settings(self) -> ModelSettings:
        """Return the settings of a model with the attention."""
        return ModelSettings(
            embedding_size=12,
            encoder=EncoderSettings(directions="unidirectional", hidden_size=self.memory_size),
            decoder=DecoderSettings(hidden_size=self.query_size),
            attention=AttentionSettings(name=self.name, options=dict(self.options)),
        )

    @staticmethod
    def attend(
        attention: Attention, queries: Tensor, memory: Memory, state: tuple[Tensor, ...] | None = None
    ) -> AttendedQueries:
        """Pass queries (B, Q, query_size) to the attention, one after the other if it is recurrent."""
        state = attention.initial_state(memory) if state is None else state
        if not attention.recurrent:
            return AttendedQueries(*attention(queries, memory, state))
        contexts, weights = [], []
        for query in queries.split(1, 1):
            attended = attention(query, memory, state)
            contexts.append(attended.context)
            weights.append(attended.weights)
            state = attended.state
        return AttendedQueries(torch.cat(contexts, 1), torch.cat(weights, 1), state)


@dataclass(frozen=True)
class EncoderSubject:
    """An encoder class, its options and the width of its inputs."""

    registry: ClassVar[Registry] = ENCODERS
    part: type[Encoder]
    options: Mapping[str, Any] = field(default_factory=dict)
    input_size: int = 24
    """By default not a multiple of the width of vector instructions, but one of the customary numbers of heads."""

    @property
    def name(self) -> str:
        """``package.module:Class``."""
        return f"{self.part.__module__}:{self.part.__qualname__}"

    def build(self, dtype: torch.dtype = torch.float32, seed: int = 1) -> Encoder:
        """Return an encoder in evaluation mode, with perturbed parameters; the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = self.part(self.input_size, **self.options)
        return _perturb(encoder, dtype, seed)

    def source(
        self, lengths: Sequence[int] = (6, 4, 1), dtype: torch.dtype = torch.float32, seed: int = 5
    ) -> tuple[Tensor, Tensor]:
        """Return random embeddings (B, S, input_size), on padding too, and is_token (B, S)."""
        is_token = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
        return random_tensor(len(lengths), max(lengths), self.input_size, dtype=dtype, seed=seed), is_token

    def calls(self, encoder: Encoder) -> list[tuple[Tensor, ...]]:
        """Return the embeddings and masks of several calls, with different numbers of sentences and positions."""
        return [self.source(lengths, seed=len(lengths)) for lengths in ((6, 4, 1), (3, 3), (6, 4, 1))]

    def run(self, encoder: Encoder, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the states, with zeros on padding, and the summary, without gradients, for a call of `calls`."""
        with torch.no_grad():
            return self.read(encoder, *tensors)

    def model_settings(self) -> ModelSettings:
        """Return the settings of a model with the encoder."""
        return ModelSettings(
            embedding_size=self.input_size,
            encoder=EncoderSettings(name=self.name, options=dict(self.options)),
            decoder=DecoderSettings(layers=2, hidden_size=20),
        )

    @staticmethod
    def read(encoder: Encoder, embedded: Tensor, is_token: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states of embeddings (B, S, input_size), with zeros on padding as the framework uses them, and the summary."""
        encoded = encoder(embedded, is_token)
        return encoded.states.masked_fill(~is_token[..., None], 0.0), encoded.summary


Subject: TypeAlias = CellSubject | AttentionSubject | EncoderSubject
