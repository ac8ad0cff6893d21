"""The network of a probe, and the gradient that reaches its earlier states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.state_record import gradient_norms, recorded_states
from nmt_lstm.lab.probes.task import Episode, Task
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ProbeNetwork", "gradient_flow"]


class ProbeNetwork(nn.Module):
    """One layer of a cell and a linear readout, so that only the cell has memory.

    Args:
        cell: the cell.
        output_size: size of an answer.
    """

    def __init__(self, cell: Cell, output_size: int) -> None:
        super().__init__()
        self.cell = cell
        self.readout = Linear(cell.output_size, output_size)

    def forward(self, inputs: Tensor, answers: int) -> Tensor:
        """Return the answers at the last positions.

        Args:
            inputs: shape (B, P, input_size).
            answers: K, the number of answers.

        Returns:
            Shape (B, K, output_size).
        """
        outputs, _ = self.cell(inputs, self.cell.initial_state(len(inputs)))
        result: Tensor = self.readout(outputs[:, -answers:])
        return result


def gradient_flow(network: ProbeNetwork, task: Task, episode: Episode) -> list[float]:
    """Return the norm of d loss / d state by distance from the end.

    The loss is that of the last answer alone, so every path to an earlier state leads through time. The state is
    everything that one step passes to the next, see `gradient_norms`. The norm of each sequence is averaged over the batch.

    Args:
        network: the network.
        task: defines the loss.
        episode: B sequences of P positions.

    Returns:
        P norms, from the state before the last step to the initial state.
    """
    with torch.enable_grad(), recorded_states([network.cell]) as (states,):
        answer = network(episode.inputs, 1)
        # The loss is a mean over sequences.
        loss = len(episode.inputs) * task.loss(answer, episode.targets[:, -1:])
    norms: list[float] = gradient_norms([loss], states[:-1]).mean(1).tolist()
    return norms[::-1]
