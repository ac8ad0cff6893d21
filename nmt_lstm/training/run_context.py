"""What a call of `fit` works with besides its settings: devices, processes, time, the output folder and the display."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from rich.console import Console

from nmt_lstm.checkpoint.folder_files import WRITING
from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.files.atomic import remove_stale
from nmt_lstm.numerics.memory import bound_kernel_memory, keep_freed_memory
from nmt_lstm.numerics.precision import Precision, resolve_precision
from nmt_lstm.training.devices import Devices, choose_devices, use_threads
from nmt_lstm.training.interruption import SignalWatch
from nmt_lstm.training.launch import Launch, check_launcher, find_launch, ignore_stray
from nmt_lstm.training.output_folder import (
    check_not_held,
    check_output,
    checkpoint_path,
    created_folder,
    folder_for_copies,
    held_by_this_run,
)
from nmt_lstm.training.peers import Peers
from nmt_lstm.training.progress import ProgressDisplay
from nmt_lstm.training.time_budget import TimeBudget

__all__ = ["RunContext", "open_run"]


@dataclass(frozen=True)
class RunContext:
    """One call of `fit` in one process."""

    output: Path
    """The model folder."""
    resume: bool
    devices: Devices
    launch: Launch
    precision: Precision
    budget: TimeBudget
    display: ProgressDisplay
    """Silent in all processes but the first."""
    peers: Peers
    """The other processes."""
    copies: Path
    """Where to put a copy of a checkpoint that only the first machine has."""
    signals: SignalWatch = field(default_factory=SignalWatch)
    returned: bool = False
    """Whether the run continues from a checkpoint to which it has returned by itself."""

    @property
    def checkpoint_path(self) -> Path:
        """Where the complete state of the run is saved."""
        return checkpoint_path(self.output)


@contextmanager
def open_run(
    settings: TrainingSettings, output: Path, *, resume: bool, console: Console | None
) -> Iterator[RunContext]:
    """Context manager that chooses the devices and holds the output folder.

    Raises:
        ConfigurationError: `output` already contains a run, and `resume` is false.
        FolderInUseError: another process is training into `output`.
        LaunchError: a launcher started a different number of processes.
        LostProcessError: another process did not start, or has ended.
        ModelFolderError: `output` contains unrelated files.
        ResourceError: there are too few devices, or the folder cannot be created.
    """
    budget = TimeBudget(parse_duration(settings.time_limit))
    check_launcher(settings.devices, settings.nodes)
    devices = choose_devices(settings)
    launch = find_launch(devices.count, devices.nodes)
    ignore_stray(launch)
    display = ProgressDisplay((console or Console(stderr=True)) if launch.is_first else Console(quiet=True))
    with ExitStack() as stack:
        if launch.is_first:
            check_not_held(output)
            check_output(output, resume=resume)
        stack.enter_context(created_folder(output))
        if launch.is_first:
            stack.enter_context(held_by_this_run(output))
            # Checked again under the lock: another run may just have ended here.
            check_output(output, resume=resume)
            remove_stale(output / "checkpoints", files="*")
            remove_stale(output, folders=WRITING)
        precision = resolve_precision(settings.precision, devices.device)
        if devices.accelerator == "cpu":
            bound_kernel_memory()
            keep_freed_memory()
        use_threads(devices)
        silence = parse_duration(settings.process_timeout)
        peers = stack.enter_context(Peers(silence=inf if silence is None else silence, say=display.say))
        if not launch.starts_others:
            # From now on, each process learns if another one ends, even while it prepares text.
            peers.join(launch)
        copies = stack.enter_context(folder_for_copies(output, launch.node_rank))
        yield RunContext(output, resume, devices, launch, precision, budget, display, peers, copies)
