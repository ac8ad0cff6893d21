"""Which of its run's processes this one is: one answer, from what the run asks for and who started the process."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from nmt_lstm.errors import LaunchError

__all__ = [
    "STARTED_BY",
    "Launch",
    "find_launch",
    "ignore_stray",
    "is_started_by_run",
    "may_be_one_of_several",
    "without_launcher",
]

# Holds the process id of a run's first process in those that it starts, so that a variable left over from elsewhere is
# not mistaken for it: it must be the parent's.
STARTED_BY = "NMT_LSTM_STARTED_BY"
# What launchers say of a process, and the value that says nothing.
_RANKS = (
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK"),
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "JSM_NAMESPACE_RANK"),
)
_SIZES = ("WORLD_SIZE", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS")
_MEANINGLESS = {**dict.fromkeys(_RANKS, "0"), **dict.fromkeys(_SIZES, "1")}
_TORCHRUN = "TORCHELASTIC_RUN_ID"
# A batch script has SLURM_NTASKS and SLURM_PROCID as well; this one comes from srun alone.
_SRUN_TASKS = "SLURM_STEP_NUM_TASKS"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launch:
    """The rank of this process among those of its run, and how they meet."""

    processes: int = 1
    """On each machine."""
    nodes: int = 1
    local_rank: int = 0
    """Number of this process on its machine."""
    node_rank: int = 0
    """Number of its machine."""
    starts_others: bool = False
    """Whether this process has to start the others of its machine."""
    address: str = "127.0.0.1"
    """Of the machine of the first process."""
    port: int | None = None
    """Where the processes meet there; None is any free one."""
    stray: Mapping[str, str] = field(default_factory=dict)
    """Variables of launchers that mean nothing to this run."""

    @property
    def world_size(self) -> int:
        """Processes of all machines."""
        return self.processes * self.nodes

    @property
    def rank(self) -> int:
        """Number of this process among all."""
        return self.node_rank * self.processes + self.local_rank

    @property
    def is_first(self) -> bool:
        """Whether this process speaks and writes for its run."""
        return self.rank == 0


def is_started_by_run(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the first process of a run has started this one as another of the same run."""
    return environment.get(STARTED_BY) == str(os.getppid())


def may_be_one_of_several(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether other processes may belong to this one's run; `find_launch` knows, from what the run asks for."""
    return (
        is_started_by_run(environment)
        or _TORCHRUN in environment
        or environment.get(_SRUN_TASKS, "1") != "1"
        or environment.get("NODE_RANK", "0") != "0"
    )


def without_launcher(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for another run, which is not one of the processes that a launcher started."""
    launched = {*_RANKS, *_SIZES, "LOCAL_WORLD_SIZE", _TORCHRUN, STARTED_BY}
    return {name: value for name, value in environment.items() if name not in launched}


def find_launch(processes: int, nodes: int, environment: Mapping[str, str] = os.environ) -> Launch:
    """Return the rank of this process in a run of so many processes on each of so many machines.

    A run of one process is on its own, whatever a launcher has left in the environment. Several are started by this
    command itself, by torchrun or by srun; on several machines also by hand, with MASTER_ADDR, MASTER_PORT and
    NODE_RANK.

    Raises:
        LaunchError: torchrun or srun has started a different number of processes, or a variable that tells this
            process its rank is missing or not a number.
    """
    world_size = processes * nodes
    if world_size == 1:
        return Launch(stray=_stray(environment))
    if is_started_by_run(environment):
        return Launch(
            processes,
            nodes,
            local_rank=_number(environment, "LOCAL_RANK"),
            node_rank=_number(environment, "NODE_RANK"),
            address=environment.get("MASTER_ADDR", "127.0.0.1"),
            port=_number(environment, "MASTER_PORT"),
        )
    if _TORCHRUN in environment:
        _check_size(environment, "WORLD_SIZE", "torchrun", processes, nodes)
        return Launch(
            processes,
            nodes,
            local_rank=_number(environment, "LOCAL_RANK"),
            node_rank=_number(environment, "RANK") // processes,
            address=environment.get("MASTER_ADDR", "127.0.0.1"),
            port=_number(environment, "MASTER_PORT"),
        )
    # A shell that srun gave is a step of one task, from which this command starts the others itself.
    if environment.get(_SRUN_TASKS, "1") != "1":
        _check_size(environment, _SRUN_TASKS, "srun", processes, nodes)
        return Launch(
            processes,
            nodes,
            local_rank=_number(environment, "SLURM_LOCALID"),
            node_rank=_number(environment, "SLURM_PROCID") // processes,
            address=_srun_address(environment),
            port=_srun_port(environment),
        )
    if nodes == 1:
        return Launch(processes, starts_others=True, stray=_stray(environment))
    return Launch(
        processes,
        nodes,
        node_rank=_number(environment, "NODE_RANK"),
        starts_others=True,
        address=_value(environment, "MASTER_ADDR"),
        port=_number(environment, "MASTER_PORT"),
        stray=_stray({name: value for name, value in environment.items() if name != "NODE_RANK"}),
    )


def ignore_stray(launch: Launch, environment: MutableMapping[str, str] = os.environ) -> None:
    """Say which variables are ignored, and take them out of the environment: libraries would read them too."""
    if not launch.stray:
        return
    names = ", ".join(f"{name}={value}" for name, value in launch.stray.items())
    logger.warning(
        "%s: ignored, because no launcher started this run's processes: it has %d (training.devices = %d, "
        "training.nodes = %d).",
        names,
        launch.world_size,
        launch.processes,
        launch.nodes,
    )
    for name in launch.stray:
        environment.pop(name, None)


def _stray(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: environment[name]
        for name, nothing in _MEANINGLESS.items()
        if environment.get(name, nothing) != nothing
    }


def _check_size(
    environment: Mapping[str, str], variable: str, launcher: str, processes: int, nodes: int
) -> None:
    if _number(environment, variable) != processes * nodes:
        value = environment[variable]
        raise LaunchError(
            f"{launcher} started {value} processes ({variable}), but the run asks for {processes * nodes}: "
            f"training.devices = {processes} on each of training.nodes = {nodes}. Let both agree, with --devices and "
            f"--nodes or with the options of {launcher}.",
            variable=variable,
            value=value,
        )


def _value(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "")
    if not value:
        raise LaunchError(
            f"the environment variable {variable} is not set, so this process does not know its place in a run of "
            f"several: start the run with torchrun or srun, or set MASTER_ADDR, MASTER_PORT and NODE_RANK on each "
            f"machine.",
            variable=variable,
            value="",
        )
    return value


def _number(environment: Mapping[str, str], variable: str) -> int:
    value = _value(environment, variable)
    if not value.isdecimal():
        raise LaunchError(
            f"the environment variable {variable} is '{value}', but must be a whole number; launchers such as torchrun "
            f"and srun set it.",
            variable=variable,
            value=value,
        )
    return int(value)


def _srun_address(environment: Mapping[str, str]) -> str:
    """Return MASTER_ADDR, or the first host of a list such as "node[03-05,09],other"."""
    if environment.get("MASTER_ADDR"):
        return environment["MASTER_ADDR"]
    hosts = environment.get("SLURM_STEP_NODELIST") or _value(environment, "SLURM_NODELIST")
    return re.sub(r"\[([^\],-]*)[^\]]*\]", r"\1", hosts).split(",")[0]


def _srun_port(environment: Mapping[str, str]) -> int:
    """Return MASTER_PORT, or a port that all tasks of a job derive from its number, as Lightning does."""
    if environment.get("MASTER_PORT"):
        return _number(environment, "MASTER_PORT")
    return 15_000 + _number(environment, "SLURM_JOB_ID") % 10_000
