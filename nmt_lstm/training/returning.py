"""After a divergence: return to the last good checkpoint, with half the learning rate."""

from __future__ import annotations

import dataclasses

import torch

from nmt_lstm.errors import DivergenceError
from nmt_lstm.training.assembly import Assembly
from nmt_lstm.training.checkpointing import AtomicCheckpointIO, read_checkpoint
from nmt_lstm.training.devices import all_reduce_max
from nmt_lstm.training.fit_callback import CALLBACK_KEY
from nmt_lstm.training.module import MODULE_KEY
from nmt_lstm.training.reporting import with_advice
from nmt_lstm.training.resumption import ResumePoint
from nmt_lstm.training.run_context import RunContext
from nmt_lstm.training.time_budget import TimeBudget

__all__ = ["return_to_checkpoint"]


def return_to_checkpoint(
    assembly: Assembly, problem: DivergenceError, device: torch.device
) -> RunContext | None:
    """Prepare a run that has diverged to be resumed from its last good checkpoint; all processes take part.

    The checkpoint itself counts the return. So a run that is killed at any moment after this resumes in the same way.

    Args:
        assembly: the run that has diverged.
        problem: why.
        device: of this process.

    Returns:
        The context in which the run is resumed; None if it must end.

    Raises:
        ModelFolderError: the checkpoints are damaged.
        ResourceError: the disk is full or not writable.
    """
    guard, context = assembly.module.guard, assembly.context
    # Before the first step no checkpoint has other weights, and no learning rate was used.
    if guard.action != "return" or guard.returns >= guard.limit or problem.step == 0:
        return None
    returned = False
    if context.launch.is_first and assembly.callback.checkpoint.roll_back(
        problem.step, even_if_validated=True
    ):
        step = _count_return(context, guard.returns + 1)
        advice = (
            f"Returning to the checkpoint of step {step:,}, with half the learning rate (return {guard.returns + 1} of at most "
            f"{guard.limit})."
        )
        context.display.say(f"warning: {with_advice(problem, advice)}")
        returned = True
    # The other processes wait here until the checkpoint is written.
    if not all_reduce_max([float(returned)], device)[0]:
        return None
    return dataclasses.replace(context, resume=True, returned=True, budget=TimeBudget(context.budget.limit))


def _count_return(context: RunContext, returns: int) -> int:
    """Write the number of returns, and the time that is over, into the newest checkpoint; return its step."""
    point = ResumePoint.newest(context.output)
    assert point is not None
    state = read_checkpoint(point.path)
    state[MODULE_KEY]["divergence"]["returns"] = returns
    state["callbacks"][CALLBACK_KEY]["clock"]["elapsed"] = context.budget.elapsed()
    AtomicCheckpointIO().save_checkpoint(state, context.checkpoint_path)
    return point.step
