"""Metrics in Trackio, for which Lightning has no logger."""

from __future__ import annotations

import io
from argparse import Namespace
from contextlib import redirect_stdout
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

__all__ = ["TrackioLog"]


class TrackioLog(Logger):
    """Writes to a local Trackio project, or to a Space if `space_id` is set.

    Args:
        project: the name of the project.
        name: the name of the run; one that exists is continued.
        space_id: a Space of Hugging Face, such as "user/space"; None keeps the data on this machine.
        group: the group of runs that the run belongs to.
    """

    def __init__(
        self,
        project: str = "nmt-lstm",
        name: str = "run",
        space_id: str | None = None,
        group: str | None = None,
    ) -> None:
        super().__init__()
        self._project = project
        self._run_name = name
        self._space_id = space_id
        self._group = group
        self._run: Any = None

    @property
    def name(self) -> str:
        """The project."""
        return self._project

    @property
    def version(self) -> str:
        """The name of the run."""
        return self._run_name

    @property
    def experiment(self) -> Any:
        """Trackio's run, which is started on first use."""
        if self._run is None:
            import trackio

            with redirect_stdout(io.StringIO()):  # where Trackio explains how to show a project
                self._run = trackio.init(
                    project=self._project,
                    name=self._run_name,
                    group=self._group,
                    space_id=self._space_id,
                    resume="allow",
                    embed=False,
                    auto_log_gpu=False,
                    auto_log_cpu=False,
                )
        return self._run

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Store the settings with the run."""
        self.experiment.config.update(vars(params) if isinstance(params, Namespace) else params)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Log metrics of a step."""
        self.experiment.log(dict(metrics), step=step)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Send what is buffered, and end the run."""
        if self._run is not None:
            import trackio

            with redirect_stdout(io.StringIO()):
                trackio.finish()
            self._run = None
