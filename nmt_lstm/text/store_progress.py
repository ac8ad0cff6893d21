"""How far the store of a text is written, so that an interrupted preparation can be continued."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, parse_checked
from nmt_lstm.files.hashed_file import WrittenFile
from nmt_lstm.files.regular import read_regular
from nmt_lstm.text.cleaning import CleaningReport

__all__ = ["PROGRESS", "StoreProgress"]

PROGRESS = "progress.json"
"""Name of its file, which is removed when the store is complete."""
# Incremented when a store could not be continued as it was begun.
VERSION = 1


@dataclass(frozen=True)
class StoreProgress:
    """What is on the disk of an unfinished store."""

    pairs: int
    """Number of pairs of the whole text, without those that are excluded."""
    vocabularies: dict[str, str]
    """SHA-256 checksums of their files."""
    reports: tuple[CleaningReport, ...] = ()
    """Of each corpus so far; the last one may be unfinished."""
    files: dict[str, WrittenFile] = dataclasses.field(default_factory=dict)
    """Its files; none if only the vocabularies are there."""

    @property
    def read(self) -> int:
        """Number of pairs whose pieces are on the disk, with those that were left out."""
        return sum(report.read for report in self.reports)

    @classmethod
    def read_from(cls, folder: Path) -> StoreProgress | None:
        """Return the progress in a folder; None if there is none, or it is damaged or of a different version."""
        try:
            values = parse_checked(read_regular(folder / PROGRESS))
            if values["version"] != VERSION:
                return None
            return cls(
                pairs=int(values["pairs"]),
                vocabularies=dict(values["vocabularies"]),
                reports=tuple(CleaningReport(**each) for each in values["reports"]),
                files={name: WrittenFile(*each) for name, each in values["files"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write_to(self, folder: Path) -> None:
        """Write the progress.

        Raises:
            OSError: it cannot be written.
        """
        values: dict[str, Any] = {
            "version": VERSION,
            "pairs": self.pairs,
            "vocabularies": self.vocabularies,
            "reports": [dataclasses.asdict(report) for report in self.reports],
            "files": self.files,
        }
        write_atomically(folder / PROGRESS, checked_json(values))
