"""The rank of this process in its run, determined from the settings of the run and from what started the process."""

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
    "check_launcher",
    "find_launch",
    "ignore_stray",
    "is_started_by_run",
    "may_be_one_of_several",
    "without_launcher",
]

# In processes that the first process of a run starts, contains its process id. It must be that of the parent, so that a
# variable inherited from another run has no effect.
STARTED_BY = "NMT_LSTM_STARTED_BY"
# The variables of launchers, and the values that mean a single process.
_RANKS = (
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK"),
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "JSM_NAMESPACE_RANK"),
)
_SIZES = ("WORLD_SIZE", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS")
_SINGLE_PROCESS = {**dict.fromkeys(_RANKS, "0"), **dict.fromkeys(_SIZES, "1")}
_TORCHRUN = "TORCHELASTIC_RUN_ID"
# With this, PyTorch would wait for the store of torchrun.
_AGENT_STORE = "TORCHELASTIC_USE_AGENT_STORE"
# They are removed with the others, but say nothing to a reader.
_UNNAMED = (_TORCHRUN, _AGENT_STORE)
# SLURM_NTASKS and SLURM_PROCID are also set in a batch script; this variable is set by srun only.
_SRUN_TASKS = "SLURM_STEP_NUM_TASKS"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launch:
    """The rank of this process in its run, and how the processes of the run connect."""

    processes: int = 1
    """Processes on each machine."""
    nodes: int = 1
    local_rank: int = 0
    """Rank of this process on its machine."""
    node_rank: int = 0
    """Rank of its machine."""
    starts_others: bool = False
    """Whether this process has to start the others on its machine."""
    address: str = "127.0.0.1"
    """Address of the first process's machine."""
    port: int | None = None
    """Port of the first process; None is any free one."""
    stray: Mapping[str, str] = field(default_factory=dict)
    """Variables of launchers that do not concern this run."""

    @property
    def world_size(self) -> int:
        """Number of processes on all machines."""
        return self.processes * self.nodes

    @property
    def rank(self) -> int:
        """Rank of this process among all."""
        return self.node_rank * self.processes + self.local_rank

    @property
    def is_first(self) -> bool:
        """Whether this process reports and writes for its run."""
        return self.rank == 0


def is_started_by_run(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the first process of a run started this one as a process of the same run."""
    return environment.get(STARTED_BY) == str(os.getppid())


def may_be_one_of_several(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the run may have other processes; only `find_launch` knows, from the settings of the run."""
    return (
        is_started_by_run(environment)
        or _TORCHRUN in environment
        or environment.get(_SRUN_TASKS, "1") != "1"
        or environment.get("NODE_RANK", "0") != "0"
    )


def without_launcher(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of the environment for another run, without the variables of launchers."""
    variables = {*_RANKS, *_SIZES, "LOCAL_WORLD_SIZE", *_UNNAMED, STARTED_BY}
    return {name: value for name, value in environment.items() if name not in variables}


def check_launcher(processes: int, nodes: int, environment: Mapping[str, str] = os.environ) -> None:
    """Compare the number of processes that a launcher started with the one that the settings name.

    This comes before the question whether the machine has so many devices: the launcher is the likelier mistake.

    Args:
        processes: of the run, on each machine; 0 is as many as the machine has devices.
        nodes: machines of the run.
        environment: the environment variables of this process.

    Raises:
        LaunchError: the numbers differ.
    """
    if processes * nodes <= 1 or is_started_by_run(environment):
        return
    if _TORCHRUN in environment:
        _check_size(environment, "WORLD_SIZE", "torchrun", processes, nodes)
    elif environment.get(_SRUN_TASKS, "1") != "1":
        _check_size(environment, _SRUN_TASKS, "srun", processes, nodes)


def find_launch(processes: int, nodes: int, environment: Mapping[str, str] = os.environ) -> Launch:
    """Return the rank of this process in its run.

    A run of one process ignores the variables of launchers. Several processes are started by this command itself, by
    torchrun or by srun; on several machines also by hand, with MASTER_ADDR, MASTER_PORT and NODE_RANK.

    Args:
        processes: of the run, on each machine.
        nodes: machines of the run.
        environment: the environment variables of this process.

    Raises:
        LaunchError: torchrun or srun started a different number of processes, or a variable with the rank of this
            process is missing or not a number.
    """
    world_size = processes * nodes
    if world_size == 1:
        return Launch(stray=_stray(environment))
    started_by_run = is_started_by_run(environment)
    if started_by_run or _TORCHRUN in environment:
        if started_by_run:
            node_rank = _number(environment, "NODE_RANK")
        else:
            _check_size(environment, "WORLD_SIZE", "torchrun", processes, nodes)
            _check_local(environment, "LOCAL_RANK", "torchrun", processes)
            node_rank = _number(environment, "RANK") // processes
        return Launch(
            processes,
            nodes,
            local_rank=_number(environment, "LOCAL_RANK"),
            node_rank=node_rank,
            address=environment.get("MASTER_ADDR", "127.0.0.1"),
            port=_number(environment, "MASTER_PORT"),
        )
    # An interactive shell from srun is a step of one task, in which this command starts the others itself.
    if environment.get(_SRUN_TASKS, "1") != "1":
        _check_size(environment, _SRUN_TASKS, "srun", processes, nodes)
        _check_local(environment, "SLURM_LOCALID", "srun", processes)
        return Launch(
            processes,
            nodes,
            local_rank=_number(environment, "SLURM_LOCALID"),
            # Not from SLURM_PROCID, which counts machine by machine only with --distribution=block.
            node_rank=_number(environment, "SLURM_NODEID"),
            address=_srun_address(environment),
            port=_srun_port(environment),
        )
    if nodes == 1:
        return Launch(processes, starts_others=True, stray=_stray(environment))
    return Launch(
        processes,
        nodes,
        node_rank=_number(environment, "NODE_RANK"),
        starts_others=processes > 1,
        address=_value(environment, "MASTER_ADDR"),
        port=_number(environment, "MASTER_PORT"),
        stray=_stray({name: value for name, value in environment.items() if name != "NODE_RANK"}),
    )


def _launcher(stray: Mapping[str, str]) -> str:
    """Return which launcher has started several processes that the run does not ask for; empty if none has."""
    if _TORCHRUN in stray and stray.get("WORLD_SIZE", "1") != "1":
        return "torchrun"
    return "srun" if stray.get(_SRUN_TASKS, "1") != "1" else ""


def ignore_stray(launch: Launch, environment: MutableMapping[str, str] = os.environ) -> None:
    """Log which variables are ignored, and remove them from the environment: libraries would read them too."""
    if not launch.stray:
        return
    names = ", ".join(f"{name}={value}" for name, value in launch.stray.items() if name not in _UNNAMED)
    if launcher := _launcher(launch.stray):
        logger.warning(
            "%s started several processes (%s), but this run asks for one: each of them trains on its own. To train together, "
            "add --devices and --nodes: processes on each machine, and machines.",
            launcher,
            names,
        )
    elif names:
        logger.warning(
            "%s: ignored, because no launcher started this run; its number of processes is %d (training.devices = %d, "
            "training.nodes = %d).",
            names,
            launch.world_size,
            launch.processes,
            launch.nodes,
        )
    for name in launch.stray:
        environment.pop(name, None)


def _stray(environment: Mapping[str, str]) -> dict[str, str]:
    ranks = {
        name: environment[name]
        for name, default in _SINGLE_PROCESS.items()
        if environment.get(name, default) != default
    }
    return ranks | {name: environment[name] for name in _UNNAMED if environment.get(name)}


def _check_size(
    environment: Mapping[str, str], variable: str, launcher: str, processes: int, nodes: int
) -> None:
    if _number(environment, variable) != processes * nodes:
        value = environment[variable]
        raise LaunchError(
            f"{launcher} started {value} processes ({variable}), but the run asks for {processes * nodes}: "
            f"training.devices = {processes} on each of training.nodes = {nodes}. Make them equal with --devices and --nodes, or "
            f"with the options of {launcher}.",
            variable=variable,
            value=value,
        )


def _check_local(environment: Mapping[str, str], variable: str, launcher: str, processes: int) -> None:
    """Check that no machine has more processes than the run asks for; another one would then have fewer."""
    if _number(environment, variable) >= processes:
        value = environment[variable]
        raise LaunchError(
            f"{launcher} started more than {processes} process{'es' * (processes > 1)} on this machine ({variable} is {value}), "
            f"but the run asks for training.devices = {processes} on each machine. Make them equal with --devices and --nodes, or "
            f"with the options of {launcher}.",
            variable=variable,
            value=value,
        )


def _value(environment: Mapping[str, str], variable: str) -> str:
    value = environment.get(variable, "")
    if not value:
        raise LaunchError(
            f"the environment variable {variable} is not set, so this process does not know its rank; start "
            f"the run with torchrun or srun, or set MASTER_ADDR, MASTER_PORT and NODE_RANK on each machine.",
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
