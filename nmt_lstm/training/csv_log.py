"""The CSV log of a run: one file over all its sessions, whole at any moment."""

from __future__ import annotations

import csv
import io
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from nmt_lstm.training.checkpoint_files import save_whole

__all__ = ["CsvLog", "begin_log", "log_file", "read_log"]

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
    """Return where the log of a run in the folder `output` is."""
    return output / "logs" / "metrics.csv"


def read_log(output: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a run's log, columns by name; a row that a kill left incomplete is skipped."""
    path = log_file(output)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    yield from csv.DictReader(io.StringIO(whole, newline=""))


def begin_log(output: Path, step: int) -> None:
    """Make the log of a run that continues after `step`; later rows go, because the run writes them again.

    Raises:
        ResourceError: the disk is full or cannot be written.
    """
    rows = [row for row in read_log(output) if int(row["step"]) <= step]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    save_whole(log_file(output), lambda file: file.write_bytes(text.getvalue().encode()))


class CsvLog(Logger):
    """Appends rows to the log that `begin_log` has made; each is on its way to the disk at once.

    Args:
        output: the run's folder.
    """

    def __init__(self, output: Path) -> None:
        super().__init__()
        self.path = log_file(output)

    @property
    def name(self) -> str:
        """Name that Lightning gives it."""
        return "csv"

    @property
    def version(self) -> str:
        """No version: there is one log."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Append a row.

        Raises:
            OSError: the disk is full or cannot be written.
            ValueError: a metric has no column.
        """
        row = {name: float(value) for name, value in metrics.items()}
        # Opened for each row: there are few, and so a process that is killed loses none.
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, _COLUMNS).writerow({**row, "step": step})

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Leave them: run.toml has all settings."""
