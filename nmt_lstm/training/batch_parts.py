"""A batch that does not fit into memory is computed in two parts, each of which may be split again, with the same gradients.

The loss of a part keeps the divisor of its batch, so the parts' gradients add up to those of the batch, up to rounding.
Their dropout masks are other ones, which depend only on the batch and the part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy, Strategy
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nmt_lstm.batching.batch import Batch
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.numerics.memory import return_freed_memory
from nmt_lstm.numerics.out_of_memory import is_out_of_memory
from nmt_lstm.training.randomness import seed_step

__all__ = ["WHOLE", "BatchParts", "ComputedLoss", "parts_of_batches"]

Gradients = list[Tensor | None]
WHOLE = 1
"""Number of the part that is the whole batch; part n is split into 2 n and 2 n + 1."""


class ComputedLoss(NamedTuple):
    """The loss of a batch or a part of it."""

    loss: Tensor
    """Its contribution to the loss of the step, a scalar that is differentiable."""
    negative_log_likelihood: Tensor
    """Unsmoothed, detached, in nats."""


class BatchParts:
    """Computes the loss and the gradients of one batch after the other, and splits those that do not fit into memory.

    A failed backward pass leaves each parameter with either all or nothing of its gradient, because the passes into a
    parameter are summed first. So only the others get theirs from the parts. Each parameter's gradient is accumulated
    once, whatever fails, which is what the processes of a run count on that share gradients.

    Args:
        parameters: those that get gradients.
        compute: returns the loss of a batch or a part, given the number of the part.
        seed: seeds the random numbers of a micro-batch, given its position in the epoch and the number of the part.
        owns_graph: whether `backward` is certain to be called with what becomes of the loss that `loss` returned. Then
            that loss is cut off from the graph, so that the graph can be freed when its backward pass has failed;
            otherwise only a failure in the forward pass can be repaired.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        compute: Callable[[Batch, int], ComputedLoss],
        *,
        seed: Callable[[int, int], None],
        owns_graph: bool,
    ) -> None:
        self.parameters = parameters
        self.compute = compute
        self.seed = seed
        self.owns_graph = owns_graph
        self._micro_batch = 0
        self.splits = 0
        """Number of batches that were split since `take_splits`."""
        self._batch: Batch | None = None
        self._loss: Tensor | None = None
        self._leaf: Tensor | None = None

    def take_splits(self) -> int:
        """Return the number of batches that were split since the last call."""
        splits, self.splits = self.splits, 0
        return splits

    def start(self, micro_batch: int) -> None:
        """Seed the random numbers of a micro-batch, given its position in the epoch."""
        self._micro_batch = micro_batch
        self.seed(micro_batch, WHOLE)

    def loss(self, batch: Batch) -> ComputedLoss:
        """Return the loss of a batch, whose backward pass is that of `backward`.

        Raises:
            Exception: what `compute` raises, and a failed allocation for a single pair.
        """
        self._loss = None
        try:
            computed = self.compute(batch, WHOLE)
        except Exception as problem:
            if not _can_split(batch, problem):
                raise
        else:
            if not self.owns_graph:
                return computed
            self._batch, self._loss = batch, computed.loss
            self._leaf = computed.loss.detach().requires_grad_()
            return computed._replace(loss=self._leaf)
        # Outside the handler, where the exception's traceback no longer holds the tensors of the failed attempt.
        self.splits += 1
        computed, gradients = self._of_halves(batch, WHOLE)
        return computed._replace(loss=_with_gradients(computed.loss, gradients, self.parameters))

    def backward(self, loss: Tensor, *arguments: Any, **named: Any) -> None:
        """Accumulate the gradients of a loss that `loss` returned, perhaps scaled.

        Raises:
            Exception: an error other than a failed allocation, or a failed allocation for a single pair.
        """
        graph, self._loss = self._loss, None
        if graph is None:
            loss.backward(*arguments, **named)
            return
        assert self._batch is not None
        assert self._leaf is not None
        batch = self._batch
        # What Lightning multiplied the loss with: it divides by `training.accumulate`, and scales it in fp16.
        (scale,) = torch.autograd.grad(loss, self._leaf)
        complete: set[int] = set()
        try:
            with ExitStack() as hooks:
                for parameter in self.parameters:
                    hook = parameter.register_post_accumulate_grad_hook(
                        lambda parameter: complete.add(id(parameter))
                    )
                    hooks.callback(hook.remove)
                graph.backward(scale)
            return
        except Exception as problem:
            if not _can_split(batch, problem):
                raise
        del graph
        self.splits += 1
        computed, gradients = self._of_halves(batch, WHOLE)
        remaining = [
            (parameter, gradient)
            for parameter, gradient in zip(self.parameters, gradients, strict=True)
            if id(parameter) not in complete
        ]
        if remaining:
            parameters, missing = zip(*remaining, strict=True)
            _with_gradients(computed.loss, list(missing), parameters).backward(scale)

    def _of_halves(self, batch: Batch, part: int) -> tuple[ComputedLoss, Gradients]:
        """Return the loss (detached) and the gradients of a part, as the sum of those of its halves."""
        if batch.target_inputs.device.type == "cuda":
            torch.cuda.empty_cache()
        else:
            return_freed_memory()
        middle = batch.rows // 2
        first, gradients = self._of_part(batch.some_rows(0, middle), 2 * part)
        second, others = self._of_part(batch.some_rows(middle, batch.rows), 2 * part + 1)
        for index, other in enumerate(others):
            own = gradients[index]
            gradients[index] = other if own is None else own if other is None else own + other
        likelihood = first.negative_log_likelihood + second.negative_log_likelihood
        return ComputedLoss(first.loss + second.loss, likelihood), gradients

    def _of_part(self, batch: Batch, part: int) -> tuple[ComputedLoss, Gradients]:
        try:
            return self._at_once(batch, part)
        except Exception as problem:
            if not _can_split(batch, problem):
                raise
        return self._of_halves(batch, part)

    def _at_once(self, batch: Batch, part: int) -> tuple[ComputedLoss, Gradients]:
        self.seed(self._micro_batch, part)
        with torch.enable_grad():
            computed = self.compute(batch, part)
            gradients: Gradients = list(
                torch.autograd.grad(computed.loss, list(self.parameters), allow_unused=True)
            )
        return computed._replace(loss=computed.loss.detach()), gradients


def parts_of_batches(
    module: pl.LightningModule, model: Trainable, label_smoothing: float, seed: int
) -> BatchParts:
    """Return what computes the batches of a module.

    Args:
        module: with its Trainer.
        model: the network.
        label_smoothing: of the loss.
        seed: of the run.
    """

    def compute(batch: Batch, part: int) -> ComputedLoss:
        with ExitStack() as stack:
            if part != WHOLE:  # computed again, perhaps in the backward pass
                stack.enter_context(module.trainer.precision_plugin.train_step_context())
            loss = model.loss(batch, label_smoothing=label_smoothing)
            return ComputedLoss(loss.total / batch.loss_divisor, loss.negative_log_likelihood)

    def seed_part(micro_batch: int, part: int) -> None:
        epoch, rank = module.trainer.current_epoch, module.global_rank
        seed_step(module.device, seed=seed, epoch=epoch, micro_batch=micro_batch, rank=rank, part=part)

    return BatchParts(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        compute,
        seed=seed_part,
        owns_graph=_leaves_graph_alone(module.trainer.strategy),
    )


def _leaves_graph_alone(strategy: Strategy) -> bool:
    """Whether a Trainer's strategy leaves the backward pass to the module and does not look at the graph before it."""
    if type(strategy) is DDPStrategy:
        return (
            isinstance(strategy.model, DistributedDataParallel) and not strategy.model.find_unused_parameters
        )
    return type(strategy) is SingleDeviceStrategy


def _can_split(batch: Batch, problem: Exception) -> bool:
    return is_out_of_memory(problem) and batch.rows > 1


class _Given(torch.autograd.Function):
    """A value that does not depend on tensors as far as the forward pass knows, but has given gradients."""

    @staticmethod
    def forward(ctx, value: Tensor, gradients: list[Tensor], *_: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.gradients = gradients
        return value.clone()

    @staticmethod
    def backward(ctx, scale: Tensor):  # type: ignore[no-untyped-def]
        gradients = [gradient.mul_(scale) for gradient in ctx.gradients]
        return (None, None, *gradients)


def _with_gradients(value: Tensor, gradients: Gradients, parameters: Sequence[Tensor]) -> Tensor:
    """Return a scalar with gradients that were computed already; a parameter without one does not take part."""
    given = [
        (gradient, parameter)
        for gradient, parameter in zip(gradients, parameters, strict=True)
        if gradient is not None
    ]
    own, used = zip(*given, strict=True)
    result: Tensor = _Given.apply(value, list(own), *used)  # type: ignore[no-untyped-call]
    return result
