"""What a run computes on: accelerator, processes, threads and memory, and what its processes agree on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.out_of_memory import is_out_of_memory, where_memory_ran_out
from nmt_lstm.numerics.threads import usable_cores
from nmt_lstm.plain_text import count_of

__all__ = [
    "Devices",
    "all_reduce_max",
    "broadcast_from_first",
    "choose_devices",
    "explain_out_of_memory",
    "gather_objects",
    "is_distributed",
    "is_first_process",
    "use_threads",
]

T = TypeVar("T")

# As many processes are allowed on any machine, so that training with several can be tried out.
TRIAL_PROCESSES = 2

_REFUSED_SIZE = re.compile(r"(?:allocate|allocating) (\d+) bytes|Tried to allocate ([\d.]+ [KMGT]iB)")


@dataclass(frozen=True)
class Devices:
    """What a run trains on."""

    accelerator: str
    """ "cpu" or "gpu"."""
    count: int
    """Processes per node, one for each GPU."""
    nodes: int

    @property
    def world_size(self) -> int:
        """Processes of all nodes."""
        return self.count * self.nodes

    @property
    def device(self) -> torch.device:
        """A device of the kind."""
        return torch.device("cuda" if self.accelerator == "gpu" else "cpu")

    def __str__(self) -> str:
        if self.accelerator == "gpu":
            name = torch.cuda.get_device_name(0)
            return f"{self.world_size} x {name}" if self.world_size > 1 else name
        threads = torch.get_num_threads()
        return f"CPU, {count_of(self.world_size, 'process', plural='processes')} of {count_of(threads, 'thread')}"


def choose_devices(settings: TrainingSettings) -> Devices:
    """Choose what to train on.

    Raises:
        ResourceError: the settings ask for more GPUs than the machine has, or more processes than processors.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    accelerator = settings.accelerator
    if accelerator == "auto":
        accelerator = "gpu" if gpus else "cpu"
    if accelerator == "gpu":
        if not gpus:
            raise ResourceError(
                'training.accelerator is "gpu", but PyTorch finds no CUDA device here; use "cpu" or "auto", or see '
                "'nmt-lstm doctor'."
            )
        if settings.devices > gpus:
            raise ResourceError(
                f"training.devices is {settings.devices}, but this machine has {count_of(gpus, 'GPU')}; use {gpus} or "
                f'fewer, or training.accelerator = "cpu".'
            )
        return Devices("gpu", settings.devices or gpus, settings.nodes)
    processors = usable_cores()
    most = max(TRIAL_PROCESSES, processors)
    if settings.devices > most:
        raise ResourceError(
            f"training.devices is {settings.devices}, but this machine has {count_of(processors, 'processor')}; use "
            f"{most} or fewer."
        )
    return Devices("cpu", settings.devices or 1, settings.nodes)


def use_threads(devices: Devices) -> None:
    """Share the processor's cores among the processes of this machine, unless OMP_NUM_THREADS says otherwise."""
    if "OMP_NUM_THREADS" in os.environ:
        return
    torch.set_num_threads(max(1, usable_cores() // devices.count))


def is_distributed() -> bool:
    """Whether this process trains together with others."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def all_reduce_max(values: list[float], device: torch.device) -> list[float]:
    """Return, for each of `values`, the largest of any process; all processes must take part.

    Decisions that depend on clocks and signals must be the same in all processes.
    """
    if not is_distributed():
        return values
    largest = torch.tensor(values, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(largest, op=torch.distributed.ReduceOp.MAX)
    return [float(value) for value in largest]


def is_first_process() -> bool:
    """Whether this process trains alone, or is the first of several."""
    return not is_distributed() or torch.distributed.get_rank() == 0


def broadcast_from_first(tensors: Iterable[torch.Tensor]) -> None:
    """Give tensors the values that they have in the first process; all processes must take part."""
    if is_distributed():
        for tensor in tensors:
            torch.distributed.broadcast(tensor, src=0)


def gather_objects(value: T) -> list[T]:
    """Return the value of each process, given that of this one; all processes must take part."""
    if not is_distributed():
        return [value]
    values: list[T | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return [each for each in values if each is not None]


@contextmanager
def explain_out_of_memory(settings: TrainingSettings) -> Iterator[None]:
    """Context manager that turns a failed allocation into an error that says which settings to lower.

    Raises:
        ResourceError: an allocation failed.
    """
    try:
        yield
    except Exception as problem:
        if not is_out_of_memory(problem):
            raise
        refused = _REFUSED_SIZE.search(str(problem))
        size = ""
        if refused is not None:
            size = refused.group(2) or f"{int(refused.group(1)) / 2**30:.2f} GiB"
            size = f" (could not allocate {size})"
        raise ResourceError(
            f"not enough memory on {where_memory_ran_out(problem)}{size}: lower training.batch_pieces (now "
            f"{settings.batch_pieces}), or raise training.accumulate (now {settings.accumulate}), which computes the "
            f"same in smaller batches; data.cleaning.max_pieces limits the longest sentences. If the network itself is "
            f"too large, lower model.encoder.hidden_size, model.decoder.hidden_size and model.embedding_size."
        ) from problem
