"""Dropout of recurrent weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nmt_lstm import State, with_parameters
from nmt_lstm_wrappers.wrapper import Wrapper, bernoulli, check_rate

__all__ = ["WeightDrop"]

# Whole numbers up to here are exact in float32.
SEEDS = 1 << 24


class WeightDrop(Wrapper):
    r"""Weight drop around any cell: recurrent weights are dropped for a whole batch, and fused kernels still work.

    Equations, in training::

        U <- M * U / (1 - rate),   M drawn once for a batch of sentences, each weight 1 with probability 1 - rate

    Source: Merity et al. 2018, "Regularizing and Optimizing LSTM Language Models" (DropConnect of Wan et al. 2013).

    Args:
        input_size: width of the inputs.
        hidden_size: width of the hidden state.
        cell: the inner cell: a registered name, or package.module:Class.
        cell_options: options of its constructor.
        rate: share of the weights that are dropped.
        weights: names of the weights, at any depth of the inner cell.

    Raises:
        ValueError: the rate is not below 1, or the inner cell has no weight with one of these names.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        cell_options: dict[str, Any] | None = None,
        rate: float = 0.5,
        weights: tuple[str, ...] = ("weight_hh",),
    ) -> None:
        super().__init__(input_size, hidden_size, cell=cell, cell_options=cell_options)
        check_rate("rate", rate)
        self.rate = rate
        known = [name for name, _ in self.cell.named_parameters()]
        self.names = [name for name in known if name.rpartition(".")[2] in weights]
        missing = sorted(set(weights) - {name.rpartition(".")[2] for name in known})
        if missing:
            raise ValueError(
                f"cell '{cell}' has no weight '{missing[0]}' to drop; it has {', '.join(known)}. Change the option weights."
            )

    @property
    def state_sizes(self) -> dict[str, int]:
        """The state of the inner cell, and the seed that decides which weights are dropped."""
        return {**self.cell.state_sizes, "dropout_seed": 1}

    def bridged_state(self, projected: State) -> State:
        """Return the initial state of the inner cell and a seed, which in training is drawn here, once for a batch."""
        state = self.cell.bridged_state(projected)
        seed = torch.zeros(state[0].shape[0], 1) if state else torch.zeros(1, 1)
        if self.training:
            seed.fill_(float(torch.randint(SEEDS, ())))
        like = next(self.parameters())
        return (*state, seed.to(like.device, like.dtype))

    def step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one position."""
        return self._call_dropped(self.cell.step, inputs, state)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Process a whole sequence."""
        return self._call_dropped(self.cell, inputs, state)

    def _call_dropped(
        self, method: Callable[[Tensor, State], tuple[Tensor, State]], inputs: Tensor, state: State
    ) -> tuple[Tensor, State]:
        *inner, seed = state
        if not self.training:
            output, new = method(inputs, tuple(inner))
            return output, (*new, seed)
        weights = self._dropped_weights(int(seed[0, 0]))
        output, new = with_parameters(self.cell, weights, lambda: method(inputs, tuple(inner)))
        return output, (*new, seed)

    def _dropped_weights(self, seed: int) -> dict[str, Tensor]:
        """Return the weights by name, with the dropout mask of a seed."""
        weights = {}
        generator = torch.Generator(device=next(self.parameters()).device).manual_seed(seed)
        for name in self.names:
            weight = self.cell.get_parameter(name)
            mask = bernoulli(tuple(weight.shape), 1.0 - self.rate, weight, generator)
            weights[name] = weight * mask.div_(1.0 - self.rate)
        return weights
