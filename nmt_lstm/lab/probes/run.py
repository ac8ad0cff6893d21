"""What one probe is: a cell with its options, a task, a length, a seed, and the settings of its training."""

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

__all__ = ["ProbeRun", "ProbeSettings", "ProbedCell", "plan_runs", "read_cell"]


class ProbeSettings(BaseModel):
    """How every cell is trained; the same for all, so that cells differ in nothing but themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_size: int = Field(default=64, ge=1)
    batch_size: int = Field(default=20, ge=1)
    """Sequences per step, drawn anew for each step."""
    learning_rates: tuple[float, ...] = (0.01, 0.001)
    """Adam's; each is tried from the start until one solves the task."""
    clip_norm: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Largest norm of all gradients together (Pascanu et al. 2013); 0 leaves them as they are."""
    steps: int = Field(default=6000, ge=1)
    """Steps per learning rate, at most."""
    check_every: int = Field(default=200, ge=1)
    """Steps between two measurements of the loss on the test sequences."""
    test_rows: int = Field(default=1000, ge=1)
    """Test sequences: drawn once, never trained on."""
    time_limit: float = Field(default=120.0, gt=0)
    """Seconds of processor time for a probe, all its learning rates together."""


class ProbedCell(BaseModel):
    """A registered cell with its options."""

    model_config = ConfigDict(frozen=True)

    label: str
    """As the person wrote it: "lstm", "lstm:forget_bias=5"."""
    name: str
    options: dict[str, Any] = {}
    code: str = ""
    """Digest of the file that defines the class: results of changed code are not those of the code of now."""


class ProbeRun(BaseModel):
    """One probe to do."""

    model_config = ConfigDict(frozen=True)

    cell: ProbedCell
    task: str
    length: int
    seed: int
    settings: ProbeSettings

    @property
    def identity(self) -> str:
        """A digest of all that decides the result; the time limit does not, for a probe that ends within it."""
        values = self.model_dump(mode="json", exclude={"cell": {"label"}, "settings": {"time_limit"}})
        return sha256_of_content(json.dumps(values, sort_keys=True))

    def __str__(self) -> str:
        return f"{self.task}, length {self.length}, {self.cell.label}, seed {self.seed}"


def read_cell(text: str) -> ProbedCell:
    """Read a cell as it is named at the command line: ``lstm``, ``lstm:forget_bias=5``, ``package.module:Class:bias=1``.

    Raises:
        PluginError: there is no such cell, an option of it is wrong, or its constructor fails.
    """
    parts = [part.strip() for part in text.split(":")]
    name = ":".join(part for part in parts if "=" not in part)
    written = sorted(part for part in parts if "=" in part)
    options = {}
    for option in written:
        key, _, value = option.partition("=")
        options[key.strip()] = parse_value(value.strip())
    try:
        CELLS.build(name, 2, 2, options=options)
    except NmtLstmError:
        raise
    except Exception as problem:
        raise PluginError(
            f"the cell '{name}' cannot be built: {type(problem).__name__}: {problem}."
        ) from problem
    return ProbedCell(
        label=":".join([name, *written]), name=name, options=options, code=_code(CELLS.get(name))
    )


def plan_runs(
    cells: Sequence[str],
    tasks: Sequence[str],
    lengths: Sequence[int],
    seeds: Sequence[int],
    settings: ProbeSettings,
) -> list[ProbeRun]:
    """Return a run for each combination, in the order given; what is named twice is done once.

    Raises:
        ConfigurationError: a task is unknown, or a length is none that the task has.
        PluginError: a cell is unknown or cannot be built.
    """
    read = {cell.label: cell for cell in map(read_cell, cells)}.values()
    for name in tasks:
        task = find_task(name)
        for length in lengths:
            problem = task.length_problem(length)
            if problem:
                raise ConfigurationError(f"the task '{name}' has no length {length}: it {problem}.")
    return [
        ProbeRun(cell=cell, task=task, length=length, seed=seed, settings=settings)
        for task in dict.fromkeys(tasks)
        for length in dict.fromkeys(lengths)
        for cell in read
        for seed in dict.fromkeys(seeds)
    ]


def _code(part: type) -> str:
    try:
        file = inspect.getsourcefile(part)
    except TypeError:  # a class of a notebook
        file = None
    if file is None or not Path(file).is_file():
        return ""
    return sha256_of(Path(file))[:16]
