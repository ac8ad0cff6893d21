"""The CSV log of a run: one file across resumes, complete at any moment."""

from __future__ import annotations

import csv
import io
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from nmt_lstm.training.checkpointing import write_atomically

__all__ = ["CsvLog", "log_file", "read_log", "start_log"]

_COLUMNS = (
    "step",
    "epoch",
    "elapsed_seconds",
    "train_loss",
    "gradient_norm",
    "learning_rate",
    "target_pieces_per_second",
    "valid_loss",
    "valid_perplexity",
    "valid_bleu",
    "valid_chrf",
)


def log_file(output: Path) -> Path:
    """Return the path of the log of a run in the folder `output`."""
    return output / "logs" / "metrics.csv"


def read_log(output: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a run's log, columns by name; an incomplete last row, left by a kill, is skipped."""
    path = log_file(output)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    complete = text[: text.rfind("\n") + 1]
    yield from csv.DictReader(io.StringIO(complete, newline=""))


def start_log(output: Path, step: int) -> None:
    """Create the log of a run that continues after `step`, or drop its later rows: the run writes them again.

    Raises:
        ResourceError: the disk is full or not writable.
    """
    rows = [row for row in read_log(output) if int(row["step"]) <= step]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(log_file(output), lambda file: file.write_bytes(text.getvalue().encode()))


class CsvLog(Logger):
    """Appends rows to the log that `start_log` created.

    Args:
        output: the run's folder.
    """

    def __init__(self, output: Path) -> None:
        super().__init__()
        self.path = log_file(output)

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
        row = {name: float(value) for name, value in metrics.items()}
        # Opened for each row: there are few, and a process that is killed loses none.
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, _COLUMNS).writerow({**row, "step": step})

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Ignore them: run.toml contains all settings."""
