"""A run of a probe: a cell with its options, a task, a length, a seed, and training settings."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nmt_lstm.config.load import parse_value
from nmt_lstm.errors import ConfigurationError, NmtLstmError, PluginError
from nmt_lstm.files.checksums import sha256_of, sha256_of_content
from nmt_lstm.lab.probes.catalogue import find_task
from nmt_lstm.registry import CELLS

__all__ = ["ProbeRun", "ProbeSettings", "ProbedCell", "parse_cell", "plan_runs"]


class ProbeSettings(BaseModel):
    """Training settings, the same for all cells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_size: int = Field(default=64, ge=1)
    batch_size: int = Field(default=20, ge=1)
    """Sequences per step, which are new in each step."""
    learning_rates: tuple[float, ...] = (0.01, 0.001)
    """Learning rates for Adam, each tried from scratch until one solves the task."""
    clip_norm: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Largest norm of all gradients together (Pascanu et al. 2013); 0 disables clipping."""
    steps: int = Field(default=6000, ge=1)
    """Maximum number of steps per learning rate."""
    check_every: int = Field(default=200, ge=1)
    """Steps between two tests."""
    test_rows: int = Field(default=1000, ge=1)
    """Number of test sequences, which are drawn once and never trained on."""
    time_limit: float = Field(default=120.0, gt=0)
    """Seconds of processor time for a run with all its learning rates."""


class ProbedCell(BaseModel):
    """A registered cell with its options."""

    model_config = ConfigDict(frozen=True)

    label: str
    """The cell as written on the command line: "lstm", "lstm:forget_bias=5"."""
    name: str
    options: dict[str, Any] = {}
    code: str = ""
    """Digest of the file that defines the class, since results of changed code are out of date."""


class ProbeRun(BaseModel):
    """A cell on a task of one length, with one seed."""

    model_config = ConfigDict(frozen=True)

    cell: ProbedCell
    task: str
    length: int
    seed: int
    settings: ProbeSettings

    @property
    def identity(self) -> str:
        """Digest of everything that determines the result; the time limit does not, unless it ends the run."""
        values = self.model_dump(mode="json", exclude={"cell": {"label"}, "settings": {"time_limit"}})
        return sha256_of_content(json.dumps(values, sort_keys=True))

    def __str__(self) -> str:
        return f"{self.task}, length {self.length}, {self.cell.label}, seed {self.seed}"


def parse_cell(text: str) -> ProbedCell:
    """Parse a cell as written on the command line: ``lstm``, ``lstm:forget_bias=5``, ``package.module:Class:bias=1``.

    Raises:
        PluginError: the cell is unknown, an option is wrong, or its constructor fails.
    """
    words = [word.strip() for word in text.split(":")]
    name = ":".join(word for word in words if "=" not in word)
    assignments = sorted(word for word in words if "=" in word)
    options = {}
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        options[key.strip()] = parse_value(value.strip())
    try:
        CELLS.build(name, 2, 2, options=options)
    except NmtLstmError:
        raise
    except Exception as problem:
        raise PluginError(
            f"the cell '{name}' cannot be built: {type(problem).__name__}: {problem}.", value=name
        ) from problem
    return ProbedCell(
        label=":".join([name, *assignments]), name=name, options=options, code=_code_digest(CELLS.get(name))
    )


def plan_runs(
    cells: Sequence[str],
    tasks: Sequence[str],
    lengths: Sequence[int],
    seeds: Sequence[int],
    settings: ProbeSettings,
) -> list[ProbeRun]:
    """Return a run for each combination, in the order given and without duplicates.

    Raises:
        ConfigurationError: a task is unknown, or does not have one of the lengths.
        PluginError: a cell is unknown or cannot be built.
    """
    distinct = {cell.label: cell for cell in map(parse_cell, cells)}.values()
    for name in tasks:
        task = find_task(name)
        for length in lengths:
            problem = task.length_problem(length)
            if problem:
                raise ConfigurationError(f"task '{name}': length {length} {problem}.", key=name, value=length)
    return [
        ProbeRun(cell=cell, task=task, length=length, seed=seed, settings=settings)
        for task in dict.fromkeys(tasks)
        for length in dict.fromkeys(lengths)
        for cell in distinct
        for seed in dict.fromkeys(seeds)
    ]


def _code_digest(part: type) -> str:
    try:
        file = inspect.getsourcefile(part)
    except TypeError:  # a class defined in a notebook
        file = None
    if file is None or not Path(file).is_file():
        return ""
    return sha256_of(Path(file))[:16]
