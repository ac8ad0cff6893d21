"""What a training run computes on, accelerator, processes and threads, and what its processes agree on."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.threads import usable_cores

__all__ = ["Devices", "all_reduce_max", "choose_devices", "is_distributed", "use_threads"]

# As many processes are allowed anywhere, to try a training of several.
TRIAL_PROCESSES = 2


@dataclass(frozen=True)
class Devices:
    """What a training runs on."""

    accelerator: str
    """"cpu" or "gpu"."""
    count: int
    """Processes, one for each GPU, per node."""
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
        return f"CPU, {self.world_size} process{'es' * (self.world_size > 1)} of {threads} thread{'s' * (threads > 1)}"


def choose_devices(settings: TrainingSettings) -> Devices:
    """Choose by the settings what to train on.

    Raises:
        ResourceError: more GPUs are asked for than there are, or more processes than processors.
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
                f"training.devices is {settings.devices}, but this machine has {gpus} GPU{'s' * (gpus > 1)}; use "
                f'{gpus} or fewer, or training.accelerator = "cpu".'
            )
        return Devices("gpu", settings.devices or gpus, settings.nodes)
    processors = usable_cores()
    most = max(TRIAL_PROCESSES, processors)
    if settings.devices > most:
        raise ResourceError(
            f"training.devices is {settings.devices}, but this machine has {processors} processor"
            f"{'s' * (processors > 1)}; use {most} or fewer."
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
    """Return the largest value of any process for each of `values`; all processes must take part.

    Decisions made of clocks and signals must not differ between processes.
    """
    if not is_distributed():
        return values
    largest = torch.tensor(values, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(largest, op=torch.distributed.ReduceOp.MAX)
    return [float(value) for value in largest]
