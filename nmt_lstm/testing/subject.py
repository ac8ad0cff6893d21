"""The argument of a check: a cell or attention class, with the options and sizes to build it with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention, Memory
from nmt_lstm.cells.cell import Cell, State

__all__ = ["AttendedQueries", "AttentionSubject", "CellSubject", "random_tensor"]

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
