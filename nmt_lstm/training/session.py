"""What a call of `fit` works with besides its settings: processes and devices, time, the folder, and where it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from nmt_lstm.checkpoint.folder_files import WRITING
from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.files.atomic import remove_stale
from nmt_lstm.numerics.memory import bound_kernel_memory, keep_freed_memory
from nmt_lstm.numerics.precision import Precision, resolve_precision
from nmt_lstm.training.budget import TimeBudget
from nmt_lstm.training.devices import Devices, choose_devices, use_threads
from nmt_lstm.training.interruption import SignalWatch
from nmt_lstm.training.launch import Launch, find_launch, ignore_stray
from nmt_lstm.training.output_folder import check_output, last_checkpoint, made_folder
from nmt_lstm.training.output_lock import check_not_held, held_by_this_run
from nmt_lstm.training.progress import ProgressDisplay

__all__ = ["Session", "open_session"]


@dataclass(frozen=True)
class Session:
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
    signals: SignalWatch = field(default_factory=SignalWatch)

    @property
    def checkpoint(self) -> Path:
        """Where the whole state of the training is saved."""
        return last_checkpoint(self.output)


@contextmanager
def open_session(
    settings: TrainingSettings, output: Path, *, resume: bool, console: Console | None
) -> Iterator[Session]:
    """Choose the devices and hold the output folder for the time of a with statement.

    Raises:
        ConfigurationError: there is a training in `output`, and `resume` is off.
        FolderInUseError: another process trains into `output`.
        LaunchError: a launcher has started a different number of processes.
        ModelFolderError: `output` holds unrelated files.
        ResourceError: the devices do not suffice, or the folder cannot be made.
    """
    budget = TimeBudget(parse_duration(settings.time_limit))
    devices = choose_devices(settings)
    launch = find_launch(devices.count, devices.nodes)
    ignore_stray(launch)
    display = ProgressDisplay((console or Console(stderr=True)) if launch.is_first else Console(quiet=True))
    with ExitStack() as stack:
        if launch.is_first:
            check_not_held(output)
            check_output(output, last_checkpoint(output), resume=resume)
        stack.enter_context(made_folder(output))
        if launch.is_first:
            stack.enter_context(held_by_this_run(output))
            # Once more: another training may just have ended here.
            check_output(output, last_checkpoint(output), resume=resume)
            remove_stale(output / "checkpoints", files="*")
            remove_stale(output, folders=WRITING)
        precision = resolve_precision(settings.precision, devices.device)
        if devices.accelerator == "cpu":
            bound_kernel_memory()
            keep_freed_memory()
        use_threads(devices)
        yield Session(output, resume, devices, launch, precision, budget, display)
