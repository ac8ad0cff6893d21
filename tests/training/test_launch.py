"""The rank of a process in its run, from the settings of the run and from what started the process."""

from __future__ import annotations

import os
from typing import Any

import pytest

from nmt_lstm.errors import LaunchError
from nmt_lstm.training.launch import STARTED_BY, Launch, check_launcher, find_launch, ignore_stray

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "3",
    "LOCAL_RANK": "1",
    "GROUP_RANK": "1",
    "WORLD_SIZE": "4",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29500",
}
SRUN = {
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_NTASKS": "4",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_NODELIST": "node[07-08,11],other",
    "SLURM_JOB_ID": "1234567",
}


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "1"},
        {"LOCAL_RANK": "1"},
        {"NODE_RANK": "3"},
        {"SLURM_PROCID": "2", "SLURM_NTASKS": "4"},
        {"RANK": "not a number"},
        TORCHRUN,
        SRUN,
        {STARTED_BY: str(os.getppid()), "LOCAL_RANK": "1"},
    ],
)
def test_a_run_of_one_process_ignores_the_variables_of_launchers(variables: dict[str, str]) -> None:
    launch = find_launch(1, 1, variables)
    assert launch.is_first
    assert not launch.starts_others
    assert launch.stray
    assert set(launch.stray.items()) <= set(variables.items())


@pytest.mark.parametrize("environment", [{}, {"RANK": "0", "WORLD_SIZE": "1", "SLURM_NTASKS": "1"}])
def test_variables_of_a_single_process_are_not_stray(environment: dict[str, str]) -> None:
    assert find_launch(1, 1, environment) == Launch()


def test_the_command_starts_its_own_processes() -> None:
    launch = find_launch(2, 1, {"RANK": "1", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"})
    assert (launch.rank, launch.world_size, launch.starts_others) == (0, 2, True)
    assert launch.stray == {"RANK": "1", "SLURM_NTASKS": "4"}


def test_a_process_started_by_the_first_one_knows_its_rank() -> None:
    environment = {
        STARTED_BY: str(os.getppid()),
        "LOCAL_RANK": "1",
        "NODE_RANK": "2",
        "MASTER_ADDR": "10.0.0.1",
        "MASTER_PORT": "5000",
    }
    launch = find_launch(2, 3, environment)
    assert (launch.rank, launch.local_rank, launch.node_rank) == (5, 1, 2)
    assert (launch.address, launch.port, launch.starts_others) == ("10.0.0.1", 5000, False)
    assert not launch.stray


def test_the_variable_of_another_parent_has_no_effect() -> None:
    launch = find_launch(2, 1, {STARTED_BY: str(os.getppid() + 1), "LOCAL_RANK": "1"})
    assert launch.is_first
    assert launch.starts_others


def test_torchrun_sets_the_rank() -> None:
    launch = find_launch(2, 2, TORCHRUN)
    assert (launch.rank, launch.local_rank, launch.node_rank) == (3, 1, 1)
    assert (launch.address, launch.port, launch.starts_others) == ("10.0.0.1", 29500, False)


def test_srun_sets_the_rank() -> None:
    launch = find_launch(2, 2, SRUN)
    assert (launch.rank, launch.local_rank, launch.node_rank) == (3, 1, 1)
    assert (launch.address, launch.port, launch.starts_others) == ("node07", 15_000 + 4567, False)


def test_srun_may_count_processes_in_any_order() -> None:
    """With --distribution=cyclic, SLURM_PROCID alternates between machines."""
    ranks = {
        find_launch(
            2, 2, {**SRUN, "SLURM_PROCID": str(rank), "SLURM_NODEID": node, "SLURM_LOCALID": local}
        ).rank
        for rank, (local, node) in enumerate([("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")])
    }
    assert ranks == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("environment", "variable"),
    [({**TORCHRUN, "LOCAL_RANK": "3"}, "LOCAL_RANK"), ({**SRUN, "SLURM_LOCALID": "2"}, "SLURM_LOCALID")],
)
def test_processes_that_are_unevenly_spread_over_machines_are_an_error(
    environment: dict[str, str], variable: str
) -> None:
    with pytest.raises(LaunchError, match="on this machine") as caught:
        find_launch(2, 2, environment)
    assert (caught.value.variable, caught.value.value) == (variable, environment[variable])


@pytest.mark.parametrize("environment", [TORCHRUN, SRUN])
def test_a_launcher_of_several_processes_of_which_each_trains_alone_is_pointed_out(
    caplog: Any, environment: dict[str, str]
) -> None:
    ignore_stray(find_launch(1, 1, environment), dict(environment))
    (message,) = [record.getMessage() for record in caplog.records]
    assert "--nodes" in message
    assert message.startswith(("torchrun", "srun"))


def test_without_torchrun_nothing_waits_for_its_store() -> None:
    environment = {"TORCHELASTIC_USE_AGENT_STORE": "True"}
    ignore_stray(find_launch(2, 1, environment), environment)
    assert not environment


def test_an_interactive_shell_from_srun_starts_processes_itself() -> None:
    assert find_launch(2, 1, {**SRUN, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}).starts_others


@pytest.mark.parametrize(
    ("environment", "variable", "value"),
    [
        (TORCHRUN, "WORLD_SIZE", "4"),
        (SRUN, "SLURM_STEP_NUM_TASKS", "4"),
        ({**TORCHRUN, "WORLD_SIZE": "many"}, "WORLD_SIZE", "many"),
        ({**TORCHRUN, "WORLD_SIZE": "2", "MASTER_PORT": ""}, "MASTER_PORT", ""),
    ],
)
def test_a_launcher_with_a_different_number_of_processes_is_an_error(
    environment: dict[str, str], variable: str, value: str
) -> None:
    with pytest.raises(LaunchError, match=variable) as caught:
        find_launch(2, 1, environment)
    assert (caught.value.variable, caught.value.value) == (variable, value)
    assert caught.value.exit_status == 2


def test_several_machines_need_a_node_rank_and_an_address() -> None:
    with pytest.raises(LaunchError, match="torchrun or srun"):
        find_launch(1, 2, {})
    assert not find_launch(
        1, 2, {"NODE_RANK": "1", "MASTER_ADDR": "first", "MASTER_PORT": "5000"}
    ).starts_others
    launch = find_launch(2, 2, {"NODE_RANK": "1", "MASTER_ADDR": "first", "MASTER_PORT": "5000", "RANK": "7"})
    assert (launch.rank, launch.starts_others, launch.stray) == (2, True, {"RANK": "7"})


def test_ignored_variables_are_logged_once_and_removed(caplog: Any) -> None:
    environment = {"RANK": "1", "HOME": "/root"}
    ignore_stray(find_launch(1, 1, environment), environment)
    assert environment == {"HOME": "/root"}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["RANK=1"]
    ignore_stray(find_launch(1, 1, environment), environment)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("variables", "variable"), [(TORCHRUN, "WORLD_SIZE"), (SRUN, "SLURM_STEP_NUM_TASKS")]
)
def test_a_number_of_processes_unlike_the_launchers_is_refused_before_devices_are_counted(
    variables: dict[str, str], variable: str
) -> None:
    check_launcher(2, 2, variables)
    check_launcher(0, 1, variables)  # as many as there are devices, which are counted later
    check_launcher(1, 1, variables)  # a run of its own, which ignores launchers
    with pytest.raises(LaunchError) as caught:
        check_launcher(3, 1, variables)
    assert (caught.value.variable, caught.value.value) == (variable, "4")
