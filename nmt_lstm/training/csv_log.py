"""The CSV logs of a run: each one file across resumes, complete at any moment, and with a checksum in each checkpoint."""

from __future__ import annotations

import csv
import io
import logging
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.training.checkpointing import write_atomically
from nmt_lstm.training.failed_steps import reports_in
from nmt_lstm.training.insight import FLOW_TABLE, LOGGED_LAGS
from nmt_lstm.training.validation_sets import SET_TABLE

__all__ = ["CsvLog", "flow_file", "log_digests", "log_file", "logs_of", "read_log", "sets_file", "start_log"]

logger = logging.getLogger(__name__)

_COLUMNS = (
    "step",
    "epoch",
    "elapsed_seconds",
    "train_loss",
    "gradient_norm",
    "gradient_norm_clipped",
    "clipped_share",
    "learning_rate",
    "skipped_steps",
    "returns",
    "target_pieces_per_second",
    "valid_loss",
    "valid_perplexity",
    "valid_bleu",
    "valid_chrf",
    "valid_accuracy",
    "valid_f1",
)
# A row for each validation set and validation.
_SET_COLUMNS = ("step", "set", "loss", "perplexity", "bleu", "chrf")
# A row for each cell and measurement.
_FLOW_COLUMNS = ("step", "cell", "horizon", *(f"lag_{lag}" for lag in LOGGED_LAGS))


def log_file(output: Path) -> Path:
    """Return the path of the log of a run in the folder `output`."""
    return output / "logs" / "metrics.csv"


def flow_file(output: Path) -> Path:
    """Return the path of the log of the gradient flow, which exists if `insight.gradients` is set."""
    return output / "logs" / "gradient_flow.csv"


def sets_file(output: Path) -> Path:
    """Return the path of the log of several validation sets, which exists if there are several."""
    return output / "logs" / "validation_sets.csv"


def read_log(output: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a run's log, columns by name; an incomplete last row, left by a kill, is skipped."""
    yield from _rows(log_file(output))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    complete = text[: text.rfind("\n") + 1]
    yield from csv.DictReader(io.StringIO(complete, newline=""))


@contextmanager
def logs_of(output: Path) -> Iterator[None]:
    """Context manager that removes the folder of logs again if the block fails and they say nothing.

    They are new, there is no row and no report of a step that diverged, and the run has saved nothing: a stream without
    pairs leaves no folder behind.
    """
    folder = log_file(output).parent
    is_new = not folder.exists()
    try:
        yield
    except BaseException:
        has_saved = any(path.name not in (folder.name, "held-out", ".lock") for path in output.glob("*"))
        if is_new and not has_saved and not reports_in(folder) and next(read_log(output), None) is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def log_digests(output: Path) -> dict[str, list[Any]]:
    """Return the length and the SHA-256 of each log of a run, for a checkpoint."""
    contents = {path.name: path.read_bytes() for path in _log_files(output) if path.is_file()}
    return {name: [len(content), sha256_of_content(content)] for name, content in contents.items()}


def start_log(
    output: Path,
    step: int,
    *,
    validated: bool = True,
    digests: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Create the logs of a run that continues after `step`, or drop their later rows: the run writes them again.

    A log that is no longer what it was is named in a warning. Training does not depend on it, so the run can continue.

    Args:
        output: the run's folder.
        step: the last one that its checkpoint contains.
        validated: whether the checkpoint contains a validation of that step, or the run validates it again.
        digests: what `log_digests` returned when it was saved; None for a new run, and earlier versions saved none.

    Raises:
        ResourceError: the disk is full or not writable.
    """
    for path in _log_files(output):
        if path.name in (digests or {}) and not _is_intact(path, *(digests or {})[path.name]):
            _report_change(path, step)
    last_validation = step if validated else step - 1
    _start(log_file(output), _COLUMNS, lambda row: last_validation if row.get("valid_loss") else step)
    for path, columns, last in (
        (flow_file(output), _FLOW_COLUMNS, step),
        (sets_file(output), _SET_COLUMNS, last_validation),
    ):
        if path.exists():
            _start(path, columns, lambda _, last=last: last)  # type: ignore[misc]


def _log_files(output: Path) -> tuple[Path, ...]:
    return log_file(output), flow_file(output), sets_file(output)


def _is_intact(path: Path, size: int, digest: str) -> bool:
    """Whether a log, which may have grown since, begins with what it was."""
    content = path.read_bytes() if path.is_file() else b""
    return sha256_of_content(content[:size]) == digest


def _report_change(path: Path, step: int) -> None:
    """Warn that a log was changed, and keep a copy: of a damaged file, not all rows may be readable."""
    kept = ""
    if path.is_file():
        copy = path.with_name(f"changed-{path.name}")
        write_atomically(copy, lambda file: file.write_bytes(path.read_bytes()))
        kept = f" It is kept as '{copy}'."
    logger.warning(
        "'%s' was changed or removed since the checkpoint of step %d was saved, so its earlier rows may be wrong.%s",
        path,
        step,
        kept,
    )


def _start(path: Path, columns: Sequence[str], last_step: Callable[[Mapping[str, str]], int]) -> None:
    # A row whose step is no number is damaged, of which `_report_change` has warned.
    rows = [
        row
        for row in _rows(path)
        if (row.get("step") or "").isdecimal() and int(row["step"]) <= last_step(row)
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, lambda file: file.write_bytes(text.getvalue().encode()))


class CsvLog(Logger):
    """Appends rows to the logs that `start_log` created.

    Metrics named ``gradient_flow/<cell>/<column>`` go to a table of their own, with one row for each cell, and those named
    ``validation/<set>/<column>`` to one with a row for each validation set.

    Args:
        output: the run's folder.
    """

    def __init__(self, output: Path) -> None:
        super().__init__()
        self.path = log_file(output)
        self.flow_path = flow_file(output)
        self.sets_path = sets_file(output)

    @property
    def name(self) -> str:
        """The name by which Lightning knows it."""
        return "csv"

    @property
    def version(self) -> str:
        """No version: there is one log."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append a row.

        Raises:
            OSError: the disk is full or not writable.
            ValueError: a metric has no column.
        """
        row: dict[str, Any] = {"step": step}
        cells: dict[str, dict[str, Any]] = {}
        sets: dict[str, dict[str, Any]] = {}
        for name, value in metrics.items():
            place, _, column = name.rpartition("/")
            table, _, cell = place.partition("/")
            if table == FLOW_TABLE:
                cells.setdefault(cell, {"step": step, "cell": cell})[column] = float(value)
            elif table == SET_TABLE:
                sets.setdefault(cell, {"step": step, "set": cell})[column] = float(value)
            else:
                row[name] = float(value)
        _append(self.path, _COLUMNS, [row] if len(row) > 1 else [])
        _append(self.flow_path, _FLOW_COLUMNS, list(cells.values()))
        _append(self.sets_path, _SET_COLUMNS, list(sets.values()))

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Ignore them: run.toml contains all settings."""


def _append(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    # Opened for each step: there are few, and a process that is killed loses none.
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        if not file.tell():
            writer.writeheader()
        writer.writerows(rows)
