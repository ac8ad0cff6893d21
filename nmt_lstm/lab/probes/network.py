"""The network of a probe, and how much of the last answer's error reaches the state so many positions before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.lab.probes.task import Episode, Task
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ProbeNetwork", "gradient_flow"]


class ProbeNetwork(nn.Module):
    """One layer of a cell and a linear readout; all memory is the cell's.

    Args:
        cell: the cell that is probed.
        output_size: width of the answers.
    """

    def __init__(self, cell: Cell, output_size: int) -> None:
        super().__init__()
        self.cell = cell
        self.readout = Linear(cell.output_size, output_size)

    def forward(self, inputs: Tensor, answers: int) -> Tensor:
        """Return the answers of the last positions.

        Args:
            inputs: (B, P, input_size).
            answers: K, how many of the last positions answer.

        Returns:
            (B, K, output_size).
        """
        outputs, _ = self.cell(inputs, self.cell.initial_state(len(inputs)))
        read: Tensor = self.readout(outputs[:, -answers:])
        return read


def gradient_flow(network: ProbeNetwork, task: Task, episode: Episode) -> list[float]:
    """Return the norm of d loss / d state by distance from the end.

    The loss is that of the last position's answer alone, so every path to an earlier state leads through time. The
    state is all that goes from one step to the next (the LSTM's hidden and cell state together, as one vector): its
    gradient is the product of the steps' Jacobians that Bengio et al. 1994 and Pascanu et al. 2013 look at. Norms are
    taken sequence by sequence and then averaged.

    Args:
        network: any network of one cell; stepped, not unrolled, so that each state can be asked.
        task: gives the loss.
        episode: B sequences of P positions.

    Returns:
        P norms: first that of the state which the last step starts from, last that of the initial state.
    """
    rows = len(episode.inputs)
    entering: list[tuple[Tensor, ...]] = []
    with torch.enable_grad():
        state = network.cell.initial_state(rows)
        output = episode.inputs[:, 0]
        for position in episode.inputs.unbind(1):
            state = tuple(_node(part) for part in state)
            entering.append(state)
            output, state = network.cell.step(position, state)
        answer = network.readout(output)[:, None]
        loss = rows * task.loss(answer, episode.targets[:, -1:])
        flat = [part for parts in entering for part in parts if part.requires_grad]
        gradients = torch.autograd.grad(loss, flat, allow_unused=True, materialize_grads=True)
    width = sum(part.requires_grad for part in entering[0])
    norms = []
    for first in range(0, len(gradients), width):
        parts = gradients[first : first + width]
        squares = torch.stack([part.flatten(1).square().sum(1, dtype=torch.float64) for part in parts]).sum(0)
        norms.append(float(squares.sqrt().mean()))
    return norms[::-1]


def _node(part: Tensor) -> Tensor:
    """Return the same values as a node of its own: what enters a step may be the last step's output as well."""
    if not part.is_floating_point():
        return part
    return (part if part.requires_grad else part.clone().requires_grad_()).clone()
