"""The network of a probe, and how much of the last answer's error reaches the state so many positions before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.state_record import gradient_norms, recorded_states
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
    state is all that goes from one step to the next, see `gradient_norms`. Norms are taken sequence by sequence and then
    averaged.

    Args:
        network: any network of one cell; stepped, not unrolled, so that each state can be asked.
        task: gives the loss.
        episode: B sequences of P positions.

    Returns:
        P norms: first that of the state which the last step starts from, last that of the initial state.
    """
    with torch.enable_grad(), recorded_states([network.cell]) as (states,):
        answer = network(episode.inputs, 1)
        # The loss is a mean over sequences.
        loss = len(episode.inputs) * task.loss(answer, episode.targets[:, -1:])
    norms: list[float] = gradient_norms([loss], states[:-1]).mean(1).tolist()
    return norms[::-1]
